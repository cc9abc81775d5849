/**
 * Files that others read and write too: safetensors, {@code .npy}, PNG and JPEG, JSON. Nothing in a
 * file is believed before it is checked against the file's own size, and a bad file is always a
 * {@link dev.tessera.io.MalformedFileException} that names the file, the place, what is there and
 * what should be. Everything is written through {@link dev.tessera.io.AtomicFiles}: a crash leaves
 * the old file or the new one.
 */
@NullMarked
package dev.tessera.io;

import org.jspecify.annotations.NullMarked;
