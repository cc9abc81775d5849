/**
 * The library on the device {@code cuda-emulated}, from Java down: the way of a GPU, without one.
 */
@NullMarked
package dev.tessera.cuda.emulated;

import org.jspecify.annotations.NullMarked;
