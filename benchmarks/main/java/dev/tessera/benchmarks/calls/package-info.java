/** JMH: what a call from Java into the library costs. */
@NullMarked
package dev.tessera.benchmarks.calls;

import org.jspecify.annotations.NullMarked;
