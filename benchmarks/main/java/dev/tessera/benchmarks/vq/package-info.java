/** JMH: nearest code, in bulk and one vector at a time. */
@NullMarked
package dev.tessera.benchmarks.vq;

import org.jspecify.annotations.NullMarked;
