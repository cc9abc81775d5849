/** Tests of files and their damage, and {@link dev.tessera.io.Damage} for others to use. */
@NullMarked
package dev.tessera.io;

import org.jspecify.annotations.NullMarked;
