package dev.tessera.prior;

import dev.tessera.device.Stream;

/**
 * The losses of both PixelCNNs in float64, as their formulas say: convolutions by one-hot codes.
 */
final class PixelCnnReference extends PriorReference {
  private final PriorConfig.PixelCnn network;

  /** The input of a ReLU that was nearest to 0 so far: there the loss has a kink. */
  double nearestKink = Double.MAX_VALUE;

  PixelCnnReference(Prior prior, Stream stream) {
    super(prior, stream);
    this.network = prior.config().requirePixelCnn();
  }

  @Override
  double[][] logits(int[] codes, int label) {
    return network.gated() ? gated(codes, label) : plain(codes);
  }

  private double[][] plain(int[] codes) {
    int kernel = network.firstKernel();
    int half = kernel / 2;
    double[][] x = relu(codeConv("first", codes, half * kernel + half, kernel, half, half));
    for (int i = 0; i < network.layers(); i++) {
      String block = "blocks." + i;
      double[][] y = relu(linear(block + ".0", x));
      int k = network.kernel();
      y = relu(conv(block + ".1", y, k / 2 + 1, k));
      x = add(relu(linear(block + ".2", y)), x);
    }
    return linear("head.2", relu(linear("head.1", relu(linear("head.0", x)))));
  }

  private double[][] gated(int[] codes, int label) {
    double[][] v = {};
    double[][] h = {};
    for (int i = 0; i < network.layers(); i++) {
      String layer = "layers." + i;
      double[][] wide;
      double[][] both;
      if (i == 0) {
        int kernel = network.firstKernel();
        int half = kernel / 2;
        wide = codeConv(layer + ".vertical", codes, half * kernel, kernel, half, half);
        both = codeConv(layer + ".horizontal", codes, half, half, 0, half);
      } else {
        wide = conv(layer + ".vertical", v, network.kernel() / 2 + 1, network.kernel());
        both = conv(layer + ".horizontal", h, 1, network.kernel() / 2 + 1);
      }
      double[][] y =
          gate(layer + ".horizontal_class", add(both, linear(layer + ".link", wide)), label);
      y = linear(layer + ".out", y);
      h = i == 0 ? y : add(y, h);
      if (i < network.layers() - 1) {
        v = gate(layer + ".vertical_class", wide, label);
      }
    }
    return linear("head.1", relu(linear("head.0", h)));
  }

  /** Tap t of the kernel is t / width - up rows below and t % width - left columns to the right. */
  private double[][] codeConv(String name, int[] codes, int taps, int width, int up, int left) {
    double[] w = value(name + ".weight"); // [taps,K,O]
    double[] bias = value(name + ".bias");
    double[][] y = new double[codes.length][];
    for (int p = 0; p < codes.length; p++) {
      y[p] = bias.clone();
      for (int t = 0; t < taps; t++) {
        int row = p / grid.columns() + t / width - up;
        int column = p % grid.columns() + t % width - left;
        if (isInside(row, column)) {
          int from = (t * grid.codes() + codes[row * grid.columns() + column]) * bias.length;
          for (int o = 0; o < bias.length; o++) {
            y[p][o] += w[from + o];
          }
        }
      }
    }
    return y;
  }

  /** Weights [O,rows,columns,I]; the kernel ends in the own row, half of k to the left of it. */
  private double[][] conv(String name, double[][] x, int rows, int columns) {
    double[] w = value(name + ".weight");
    double[] bias = value(name + ".bias");
    int inputs = x[0].length;
    int left = network.kernel() / 2;
    double[][] y = new double[x.length][];
    for (int p = 0; p < x.length; p++) {
      y[p] = bias.clone();
      for (int t = 0; t < rows * columns; t++) {
        int row = p / grid.columns() + t / columns - (rows - 1);
        int column = p % grid.columns() + t % columns - left;
        if (isInside(row, column)) {
          double[] from = x[row * grid.columns() + column];
          for (int o = 0; o < bias.length; o++) {
            for (int i = 0; i < inputs; i++) {
              y[p][o] += w[(o * rows * columns + t) * inputs + i] * from[i];
            }
          }
        }
      }
    }
    return y;
  }

  private double[][] linear(String name, double[][] x) {
    double[] w = value(name + ".weight"); // [O,1,1,I]
    double[] bias = value(name + ".bias");
    double[][] y = new double[x.length][];
    for (int p = 0; p < x.length; p++) {
      y[p] = bias.clone();
      for (int o = 0; o < bias.length; o++) {
        for (int i = 0; i < x[p].length; i++) {
          y[p][o] += w[o * x[p].length + i] * x[p][i];
        }
      }
    }
    return y;
  }

  private double[][] gate(String name, double[][] x, int label) {
    double[] bias = label < 0 ? new double[x[0].length] : value(name + ".weight"); // [classes,2F]
    int from = Math.max(0, label) * x[0].length;
    int channels = x[0].length / 2;
    double[][] y = new double[x.length][channels];
    for (int p = 0; p < x.length; p++) {
      for (int c = 0; c < channels; c++) {
        double a = x[p][c] + bias[from + c];
        double b = x[p][channels + c] + bias[from + channels + c];
        y[p][c] = Math.tanh(a) / (1 + Math.exp(-b));
      }
    }
    return y;
  }

  private double[][] relu(double[][] x) {
    for (double[] row : x) {
      for (int c = 0; c < row.length; c++) {
        nearestKink = Math.min(nearestKink, Math.abs(row[c]));
        row[c] = Math.max(0, row[c]);
      }
    }
    return x;
  }

  private boolean isInside(int row, int column) {
    return row >= 0 && row < grid.rows() && column >= 0 && column < grid.columns();
  }
}
