/**
 * Vector quantisation: the {@link Codebook}, whose nearest code is exact, and the {@link
 * VectorQuantizer} that trains one.
 */
@NullMarked
package dev.tessera.vq;

import org.jspecify.annotations.NullMarked;
