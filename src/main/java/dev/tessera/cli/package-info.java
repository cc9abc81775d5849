/**
 * The command line: {@code tessera train}, {@code eval}, {@code encode}, {@code decode}, {@code
 * bench}, {@code devices}.
 */
@NullMarked
package dev.tessera.cli;

import org.jspecify.annotations.NullMarked;
