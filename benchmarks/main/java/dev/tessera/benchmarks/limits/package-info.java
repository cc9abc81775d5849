/** What a core can do at most, and how near our operations come to it. */
@NullMarked
package dev.tessera.benchmarks.limits;

import org.jspecify.annotations.NullMarked;
