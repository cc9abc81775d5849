package dev.tessera.prior;

/**
 * What the training of a prior was, beside its configuration: {@code prior.json}.
 *
 * @param version of Tessera
 * @param seed of weights and shuffles
 * @param device that it ran on
 * @param threads CPU threads; the weights depend on them in their last bits
 * @param source what its codes were made from: see {@link CodeFile}
 * @param imageValues pixels times channels of an image, for bits/dim
 */
public record PriorInfo(
    String version, long seed, String device, int threads, String source, int imageValues) {}
