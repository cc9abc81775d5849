package dev.tessera.model;

import dev.tessera.data.Philox;
import dev.tessera.device.DataType;
import dev.tessera.device.Shape;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.model.VqVaeConfig.QuantizerConfig;
import dev.tessera.nn.Initializer;
import dev.tessera.nn.Ops;
import dev.tessera.nn.Parameter;
import dev.tessera.nn.ParameterSet;
import dev.tessera.nn.Pass;
import dev.tessera.nn.RandomStreams;
import dev.tessera.nn.Sequential;
import dev.tessera.vq.Codebook;
import dev.tessera.vq.CodebookLossQuantizer;
import dev.tessera.vq.EmaQuantizer;
import dev.tessera.vq.Quantized;
import dev.tessera.vq.VectorQuantizer;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A VQ-VAE: {@code decoder(quantizer(encoder(x)))}, trained on
 *
 * <pre>  loss = mean((x - x')^2) / variance + quantizer loss</pre>
 *
 * as Sonnet and Keras do, with the training set's pixel variance. Images are {@code [B,H,W,C]} in
 * [-0.5, 0.5].
 */
public final class VqVae implements AutoCloseable {
  private final VqVaeConfig config;
  private final Sequential encoder;
  private final Sequential decoder;
  private final ParameterSet parameters;
  private final VectorQuantizer quantizer;

  /** A model with the first values that its frameworks draw, from {@code seed}. */
  public VqVae(VqVaeConfig config, Stream stream, long seed) {
    this.config = config;
    QuantizerConfig q = config.quantizer();
    int channels = config.image().channels();
    this.encoder = Networks.encoder(config.network(), channels, q.dim());
    this.decoder = Networks.decoder(config.network(), channels, q.dim());
    SequencedMap<String, Parameter> all = new LinkedHashMap<>();
    encoder.parameters().forEach((name, p) -> all.put("encoder." + name, p));
    decoder.parameters().forEach((name, p) -> all.put("decoder." + name, p));
    Shape codes = Shape.of(q.codes(), q.dim());
    Initializer codebookInit = codebookInitializer(q);
    switch (q.mode()) {
      case EMA -> {
        this.parameters = new ParameterSet(stream, all);
        this.parameters.initialize(stream, seed);
        try (Tensor initial = stream.device().allocate(codes)) {
          float[] values = new float[Math.toIntExact(codes.elements())];
          codebookInit.fill(values, new Philox(seed, RandomStreams.CODEBOOK, 0));
          initial.copyFrom(stream, values);
          this.quantizer =
              new EmaQuantizer(stream, initial, q.commitment(), q.decay(), q.epsilon());
        }
      }
      case CODEBOOK_LOSS -> {
        Parameter embedding = new Parameter(codes, codebookInit);
        all.put("quantizer.codebook", embedding);
        this.parameters = new ParameterSet(stream, all);
        this.parameters.initialize(stream, seed);
        this.quantizer = new CodebookLossQuantizer(stream, embedding, q.commitment());
      }
      default -> throw new AssertionError(q.mode());
    }
  }

  /** Its configuration. */
  public VqVaeConfig config() {
    return config;
  }

  /** What the optimiser trains. */
  public ParameterSet parameters() {
    return parameters;
  }

  /** Its quantiser. */
  public VectorQuantizer quantizer() {
    return quantizer;
  }

  /**
   * One training step's result, in the pass's workspace.
   *
   * @param squaredError mean((x - x')^2), f64, one element
   * @param quantized what the quantiser did
   */
  public record Step(Tensor squaredError, Quantized quantized) {}

  /**
   * Like {@link #step}, without the quantiser: a plain autoencoder, for the steps before the codes
   * begin from data.
   *
   * @return mean((x - x')^2), f64, one element
   */
  public Tensor stepWithoutQuantizer(Pass pass, Tensor images, double variance) {
    Tensor z = encoder.forward(pass, images);
    Tensor error = pass.allocate(Shape.of(1), DataType.F64);
    encoder.backwardParameters(pass, decodeAndBack(pass, z, images, variance, error));
    return error;
  }

  /**
   * Forward and backward pass: afterwards the parameters' gradients are those of the loss. The
   * optimiser's step and then {@code quantizer().update} follow.
   *
   * @param variance of the training set's pixels
   */
  public Step step(Pass pass, Tensor images, double variance) {
    Tensor z = encoder.forward(pass, images);
    Quantized q = quantizer.forward(pass, z);
    Tensor error = pass.allocate(Shape.of(1), DataType.F64);
    Tensor gradVectors = decodeAndBack(pass, q.vectors(), images, variance, error);
    encoder.backwardParameters(pass, quantizer.backward(pass, q, gradVectors));
    return new Step(error, q);
  }

  // The decoder's forward and backward pass: writes the mean squared error, returns the gradient by
  // the decoder's input.
  private Tensor decodeAndBack(
      Pass pass, Tensor vectors, Tensor images, double variance, Tensor error) {
    Tensor reconstruction = decoder.forward(pass, vectors);
    Tensor gradient = pass.allocate(reconstruction.shape());
    Ops.meanSquaredError(pass.stream(), 1 / variance, reconstruction, images, error, gradient);
    return decoder.backward(pass, gradient);
  }

  /** The encoder's outputs [B,H/4,W/4,D], before quantisation. Keeps nothing: any thread. */
  public Tensor embed(Pass pass, Tensor images) {
    return encoder.infer(pass, images);
  }

  /** The codes [B,H/4,W/4] (i32) of images, by {@code codebook}. Keeps nothing: any thread. */
  public Tensor encode(Pass pass, Codebook codebook, Tensor images) {
    Shape grid = encoder.outputShape(images.shape()).withoutLast();
    Tensor codes = pass.allocate(grid, DataType.I32);
    encode(pass, codebook, images, codes);
    return codes;
  }

  /** Like {@link #encode(Pass, Codebook, Tensor)}, into a tensor of the caller's. */
  public void encode(Pass pass, Codebook codebook, Tensor images, Tensor codes) {
    codebook.assign(pass.stream(), embed(pass, images), codes);
  }

  /**
   * Images [B,H,W,C] of codes [B,H/4,W/4] (i32), by {@code codebook}. Keeps nothing: any thread.
   */
  public Tensor decode(Pass pass, Codebook codebook, Tensor codes) {
    Shape grid = codes.shape();
    Tensor vectors = pass.allocate(Shape.of(grid.dim(0), grid.dim(1), grid.dim(2), codebook.dim()));
    codebook.gather(pass.stream(), codes, vectors);
    return decoder.infer(pass, vectors);
  }

  @Override
  public void close() {
    quantizer.close();
    parameters.close();
  }

  private static Initializer codebookInitializer(QuantizerConfig q) {
    return switch (q.init()) {
      case KERAS_UNIFORM -> Initializer.uniform(0.05);
      // tf.initializers.VarianceScaling(distribution="uniform") of a [D,K] variable: fan in D.
      case SONNET_UNIFORM, DATA -> Initializer.uniform(Math.sqrt(3.0 / q.dim()));
    };
  }
}
