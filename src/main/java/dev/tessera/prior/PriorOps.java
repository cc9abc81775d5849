package dev.tessera.prior;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_masked_conv_params;
import dev.tessera.bindings.ts_sample_params;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import dev.tessera.nn.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The ops of {@code tessera.h} for priors over codes. Shapes are those of its comments. */
final class PriorOps {
  private PriorOps() {}

  /** A {@code ts_masked_conv_params} at position (0, 0); kept for as long as it is reachable. */
  static MemorySegment masked(
      int kernelRows, int kernelColumns, int taps, int top, int left, Activation activation) {
    MemorySegment p = ts_masked_conv_params.allocate(Arena.ofAuto());
    ts_masked_conv_params.struct_size(p, (int) ts_masked_conv_params.sizeof());
    ts_masked_conv_params.activation(p, activation.code());
    ts_masked_conv_params.kernel_h(p, kernelRows);
    ts_masked_conv_params.kernel_w(p, kernelColumns);
    ts_masked_conv_params.taps(p, taps);
    ts_masked_conv_params.pad_top(p, top);
    ts_masked_conv_params.pad_left(p, left);
    return p;
  }

  static void codeConv(
      Stream stream, MemorySegment params, Tensor codes, Tensor w, Tensor bias, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_code_conv2d_forward(
              call.stream(), params, call.arg(codes), call.arg(w), call.arg(bias), call.arg(y)));
    }
  }

  static void codeConvBackwardWeights(
      Stream stream, MemorySegment params, Tensor codes, Tensor dy, Tensor dw, Tensor dbias) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_code_conv2d_backward_weights(
              call.stream(), params, call.arg(codes), call.arg(dy), call.arg(dw), call.arg(dbias)));
    }
  }

  static void codeConvAt(
      Stream stream,
      MemorySegment params,
      int row,
      int column,
      Tensor codes,
      Tensor w,
      Tensor bias,
      Tensor y) {
    try (NativeCall call = stream.call()) { // the position is written under the stream's lock
      ts_masked_conv_params.row(params, row);
      ts_masked_conv_params.column(params, column);
      call.check(
          tessera_h.ts_code_conv2d_at(
              call.stream(), params, call.arg(codes), call.arg(w), call.arg(bias), call.arg(y)));
    }
  }

  static void convAt(
      Stream stream,
      MemorySegment params,
      int row,
      int column,
      Tensor x,
      Tensor w,
      Tensor bias,
      Tensor y) {
    try (NativeCall call = stream.call()) {
      ts_masked_conv_params.row(params, row);
      ts_masked_conv_params.column(params, column);
      call.check(
          tessera_h.ts_conv2d_at(
              call.stream(), params, call.arg(x), call.arg(w), call.arg(bias), call.arg(y)));
    }
  }

  static void gate(
      Stream stream,
      Tensor x,
      @Nullable Tensor classBias,
      @Nullable Tensor classes,
      Tensor gates,
      Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_gate_forward(
              call.stream(),
              call.arg(x),
              call.optional(classBias),
              call.optional(classes),
              call.arg(gates),
              call.arg(y)));
    }
  }

  static void gateBackward(
      Stream stream,
      Tensor gates,
      Tensor dy,
      @Nullable Tensor classes,
      Tensor dx,
      @Nullable Tensor classBiasGradient) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_gate_backward(
              call.stream(),
              call.arg(gates),
              call.arg(dy),
              call.optional(classes),
              call.arg(dx),
              call.optional(classBiasGradient)));
    }
  }

  /** Draws a code for each row of {@code logits} [N,K]; row n belongs to image firstImage + n. */
  static void sample(
      Stream stream,
      SampleOptions options,
      long firstImage,
      int position,
      MemorySegment params,
      Tensor logits,
      Tensor codes) {
    try (NativeCall call = stream.call()) {
      ts_sample_params.struct_size(params, (int) ts_sample_params.sizeof());
      ts_sample_params.position(params, position);
      ts_sample_params.seed(params, options.seed());
      ts_sample_params.first_image(params, firstImage);
      ts_sample_params.temperature(params, options.temperature());
      ts_sample_params.top_p(params, options.topP());
      ts_sample_params.top_k(params, options.topK());
      call.check(
          tessera_h.ts_sample_codes(call.stream(), params, call.arg(logits), call.arg(codes)));
    }
  }
}
