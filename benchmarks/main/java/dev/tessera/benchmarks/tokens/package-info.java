/** JMH: the tokenizer, as a JVM pipeline uses it. */
@NullMarked
package dev.tessera.benchmarks.tokens;

import org.jspecify.annotations.NullMarked;
