/** Runs our JMH classes and takes over their results. */
@NullMarked
package dev.tessera.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
