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
}
