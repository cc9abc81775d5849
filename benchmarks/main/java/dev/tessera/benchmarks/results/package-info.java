/** What was measured, as it lies in a JSON file, and as a table for people. */
@NullMarked
package dev.tessera.benchmarks.results;

import org.jspecify.annotations.NullMarked;
