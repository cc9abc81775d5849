/**
 * Priors: models of the codes that a trained VQ-VAE gives its images (van den Oord et al. 2017,
 * section 3.3). Codes are read in raster order, and a {@link Prior} gives the distribution of each
 * code after those before it. {@link PriorTrainer} trains one on the codes of a run, {@link
 * CodeSampler} draws new grids of codes, which the run's decoder turns into images.
 */
@NullMarked
package dev.tessera.prior;

import org.jspecify.annotations.NullMarked;
