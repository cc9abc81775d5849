package dev.tessera.prior;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_dropout_params;
import dev.tessera.bindings.ts_matmul_params;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import dev.tessera.device.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The ops of {@code tessera.h} that a transformer is made of. Shapes are those of its comments. */
final class TransformerOps {
  private static final double NORM_EPSILON = 1e-5; // as in PyTorch

  /** {@code a b}. */
  static final MemorySegment PRODUCT = product(false, false, false, false);

  /** {@code a^T b}. */
  static final MemorySegment PRODUCT_LEFT_TRANSPOSED = product(true, false, false, false);

  /** {@code a^T b}, added to what is there. */
  static final MemorySegment PRODUCT_LEFT_TRANSPOSED_ADDED = product(true, false, false, true);

  /** {@code a b^T}. */
  static final MemorySegment PRODUCT_RIGHT_TRANSPOSED = product(false, true, false, false);

  /** {@code a b} in the one order of addition. */
  static final MemorySegment PRODUCT_IN_ORDER = product(false, false, true, false);

  /** {@code a b^T} in the one order of addition. */
  static final MemorySegment PRODUCT_RIGHT_TRANSPOSED_IN_ORDER = product(false, true, true, false);

  private TransformerOps() {}

  private static MemorySegment product(
      boolean leftTransposed, boolean rightTransposed, boolean inOrder, boolean added) {
    MemorySegment p = ts_matmul_params.allocate(Arena.global());
    ts_matmul_params.struct_size(p, (int) ts_matmul_params.sizeof());
    ts_matmul_params.transpose_a(p, leftTransposed ? 1 : 0);
    ts_matmul_params.transpose_b(p, rightTransposed ? 1 : 0);
    ts_matmul_params.sequential(p, inOrder ? 1 : 0);
    ts_matmul_params.accumulate(p, added ? 1 : 0);
    return p;
  }

  static void multiply(
      Stream stream, MemorySegment product, Tensor a, Tensor b, @Nullable Tensor bias, Tensor c) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_matmul(
              call.stream(), product, call.arg(a), call.arg(b), call.optional(bias), call.arg(c)));
    }
  }

  static void norm(
      Stream stream, Tensor x, Tensor gamma, Tensor beta, Tensor y, Tensor mean, Tensor rstd) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_layer_norm_forward(
              call.stream(),
              NORM_EPSILON,
              call.arg(x),
              call.arg(gamma),
              call.arg(beta),
              call.arg(y),
              call.arg(mean),
              call.arg(rstd)));
    }
  }

  static void normBackward(
      Stream stream,
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor rstd,
      Tensor dy,
      Tensor dx,
      Tensor dgamma,
      Tensor dbeta) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_layer_norm_backward(
              call.stream(),
              call.arg(x),
              call.arg(gamma),
              call.arg(mean),
              call.arg(rstd),
              call.arg(dy),
              call.arg(dx),
              call.arg(dgamma),
              call.arg(dbeta)));
    }
  }

  static void attention(Stream stream, int heads, Tensor qkv, Tensor y, Tensor lse) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_attention_forward(
              call.stream(), heads, call.arg(qkv), call.arg(y), call.arg(lse)));
    }
  }

  static void attentionBackward(
      Stream stream, int heads, Tensor qkv, Tensor y, Tensor lse, Tensor dy, Tensor dqkv) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_attention_backward(
              call.stream(),
              heads,
              call.arg(qkv),
              call.arg(y),
              call.arg(lse),
              call.arg(dy),
              call.arg(dqkv)));
    }
  }

  static void attentionStep(
      Stream stream, int heads, int position, Tensor qkv, Tensor cache, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_attention_step(
              call.stream(), heads, position, call.arg(qkv), call.arg(cache), call.arg(y)));
    }
  }

  static void gelu(Stream stream, Tensor x, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(tessera_h.ts_unary(call.stream(), tessera_h.TS_GELU(), call.arg(x), call.arg(y)));
    }
  }

  /** {@code dx} may be {@code dy}. */
  static void geluBackward(Stream stream, Tensor x, Tensor dy, Tensor dx) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_unary_backward(
              call.stream(),
              tessera_h.TS_GELU(),
              call.arg(x),
              call.optional(null),
              call.arg(dy),
              call.arg(dx)));
    }
  }

  /** {@code ids} [B,T] from {@code codes} [B,T] and {@code classes} [B]. */
  static void tokenIds(
      Stream stream,
      int codeCount,
      int classCount,
      Tensor codes,
      @Nullable Tensor classes,
      Tensor ids) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_token_ids(
              call.stream(),
              codeCount,
              classCount,
              call.arg(codes),
              call.optional(classes),
              call.arg(ids)));
    }
  }

  static void embedding(Stream stream, Tensor table, Tensor ids, Tensor out) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_embedding(call.stream(), call.arg(table), call.arg(ids), call.arg(out)));
    }
  }

  /** The gradient of {@link #embedding} by the table; {@code counts} [K] i32 is scratch. */
  static void embeddingBackward(
      Stream stream, Tensor dout, Tensor ids, Tensor counts, Tensor dtable) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_vq_scatter(
              call.stream(), call.arg(dout), call.arg(ids), call.arg(counts), call.arg(dtable)));
    }
  }

  /** {@code y = x + bias}, the last dimension of x having the bias's size; y may be x. */
  static void addRow(Stream stream, Tensor x, Tensor bias, Tensor y) {
    try (NativeCall call = stream.call()) {
      call.check(
          tessera_h.ts_bias(
              call.stream(),
              tessera_h.TS_ACTIVATION_NONE(),
              call.arg(x),
              call.arg(bias),
              call.arg(y)));
    }
  }

  static MemorySegment dropout(double probability, long seed, int randomStream) {
    MemorySegment p = ts_dropout_params.allocate(Arena.ofAuto());
    ts_dropout_params.struct_size(p, (int) ts_dropout_params.sizeof());
    ts_dropout_params.stream(p, randomStream);
    ts_dropout_params.seed(p, seed);
    ts_dropout_params.probability(p, probability);
    return p;
  }

  /** {@code y = residual + dropout(x)}; y may be either. */
  static void drop(
      Stream stream,
      MemorySegment dropout,
      long step,
      Tensor x,
      @Nullable Tensor residual,
      Tensor y) {
    try (NativeCall call = stream.call()) { // the step is written under the stream's lock
      ts_dropout_params.step(dropout, step);
      call.check(
          tessera_h.ts_dropout(
              call.stream(), dropout, call.arg(x), call.optional(residual), call.arg(y)));
    }
  }
}
