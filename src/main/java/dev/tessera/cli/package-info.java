/**
 * The command line: {@code tessera train}, {@code eval}, {@code encode}, {@code decode}, {@code
 * prior}, {@code sample}, {@code train-classifier}, {@code eval samples}, {@code bench}, {@code
 * devices}.
 */
@NullMarked
package dev.tessera.cli;

import org.jspecify.annotations.NullMarked;
