package dev.tessera.nn;

import dev.tessera.bindings.tessera_h;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import org.jspecify.annotations.Nullable;

/** Elementwise ops and losses of {@code tessera.h}. Shapes are those of its comments. */
public final class Ops {
  private Ops() {}

  /** {@code y = max(x, 0)}; y may be x. */
  public static void relu(Stream stream, Tensor x, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(tessera_h.ts_unary(call.stream(), tessera_h.TS_RELU(), call.arg(x), call.arg(y)));
    }
  }

  /** {@code dx = dy} where {@code y > 0}, else 0; dx may be dy. */
  public static void reluBackward(Stream stream, Tensor y, Tensor dy, Tensor dx) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_unary_backward(
              call.stream(),
              tessera_h.TS_RELU(),
              call.optional(null),
              call.arg(y),
              call.arg(dy),
              call.arg(dx)));
    }
  }

  /** {@code y = a + b}; y may be a or b. */
  public static void add(Stream stream, Tensor a, Tensor b, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_binary(
              call.stream(), tessera_h.TS_ADD(), call.arg(a), call.arg(b), call.arg(y)));
    }
  }

  /**
   * {@code loss = mean((prediction - target)^2)} as f64, and {@code gradient = gradScale} times its
   * derivative by the prediction if {@code gradient} is given.
   */
  public static void meanSquaredError(
      Stream stream,
      double gradScale,
      Tensor prediction,
      Tensor target,
      Tensor loss,
      @Nullable Tensor gradient) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_loss(
              call.stream(),
              tessera_h.TS_LOSS_MSE(),
              gradScale,
              call.arg(prediction),
              call.arg(target),
              call.arg(loss),
              call.optional(gradient)));
    }
  }

  /** {@code y = a * b}; y may be a or b. */
  public static void multiply(Stream stream, Tensor a, Tensor b, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_binary(
              call.stream(), tessera_h.TS_MUL(), call.arg(a), call.arg(b), call.arg(y)));
    }
  }

  /**
   * Softmax cross-entropy in nats: {@code loss} (f64) is the mean over rows of {@code
   * -log(softmax(logits)[target])}, and {@code gradient} its derivative by the logits if given; it
   * may be the logits themselves.
   *
   * @throws dev.tessera.device.DataFaultException if a target is not in 0..K-1
   */
  public static void softmaxCrossEntropy(
      Stream stream, Tensor logits, Tensor targets, Tensor loss, @Nullable Tensor gradient) {
    softmaxCrossEntropy(stream, 1, logits, targets, loss, gradient);
  }

  /**
   * The same with {@code gradScale} times that gradient, for a batch that is a part of a larger
   * one.
   */
  public static void softmaxCrossEntropy(
      Stream stream,
      double gradScale,
      Tensor logits,
      Tensor targets,
      Tensor loss,
      @Nullable Tensor gradient) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_softmax_cross_entropy(
              call.stream(),
              gradScale,
              call.arg(logits),
              call.arg(targets),
              call.arg(loss),
              call.optional(null),
              call.optional(gradient)));
    }
  }
}
