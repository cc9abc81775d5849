/** The VQ-VAE as a whole: its configurations, and encoder, quantiser and decoder put together. */
@NullMarked
package dev.tessera.model;

import org.jspecify.annotations.NullMarked;
