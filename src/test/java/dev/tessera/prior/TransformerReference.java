package dev.tessera.prior;

import dev.tessera.device.Stream;
import java.util.Arrays;

/** The transformer's loss in float64, as its formulas say and without dropout. */
final class TransformerReference extends PriorReference {
  private final PriorConfig.Transformer network;

  TransformerReference(Prior prior, Stream stream) {
    super(prior, stream);
    this.network = prior.config().requireTransformer();
  }

  @Override
  double[][] logits(int[] codes, int label) {
    int width = network.width();
    int start = Math.max(0, label);
    double[][] x = new double[codes.length][width];
    for (int t = 0; t < codes.length; t++) {
      int token = t == 0 ? grid.codes() + start : codes[t - 1];
      for (int c = 0; c < width; c++) {
        x[t][c] =
            value("tokens.weight")[token * width + c]
                + value("rows.weight")[t / grid.columns() * width + c]
                + value("columns.weight")[t % grid.columns() * width + c];
      }
    }
    for (int i = 0; i < network.layers(); i++) {
      String block = "blocks." + i;
      double[][] qkv = linear(block + ".attn.qkv", norm(block + ".ln_1", x));
      add(x, linear(block + ".attn.proj", attention(qkv)));
      double[][] hidden = linear(block + ".mlp.fc", norm(block + ".ln_2", x));
      for (double[] row : hidden) {
        for (int c = 0; c < row.length; c++) {
          row[c] *= normalDistribution(row[c]);
        }
      }
      add(x, linear(block + ".mlp.proj", hidden));
    }
    double[][] last = norm("ln_f", x);
    return network.tied() ? tied(last) : linear("head", last);
  }

  private double[][] tied(double[][] x) {
    double[] tokens = value("tokens.weight");
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = value("head.bias").clone();
      for (int k = 0; k < y[t].length; k++) {
        for (int c = 0; c < x[t].length; c++) {
          y[t][k] += x[t][c] * tokens[k * x[t].length + c];
        }
      }
    }
    return y;
  }

  private double[][] attention(double[][] qkv) {
    int width = network.width();
    int size = width / network.heads();
    double[][] y = new double[qkv.length][width];
    for (int from = 0; from < width; from += size) {
      for (int t = 0; t < qkv.length; t++) {
        double[] weights = new double[t + 1];
        double sum = 0;
        for (int s = 0; s <= t; s++) {
          for (int c = from; c < from + size; c++) {
            weights[s] += qkv[t][c] * qkv[s][width + c];
          }
          weights[s] = Math.exp(weights[s] / Math.sqrt(size));
          sum += weights[s];
        }
        for (int s = 0; s <= t; s++) {
          for (int c = from; c < from + size; c++) {
            y[t][c] += weights[s] / sum * qkv[s][2 * width + c];
          }
        }
      }
    }
    return y;
  }

  private double[][] linear(String name, double[][] x) {
    double[] w = value(name + ".weight");
    double[] bias = value(name + ".bias");
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = bias.clone();
      for (int i = 0; i < x[t].length; i++) {
        for (int o = 0; o < bias.length; o++) {
          y[t][o] += x[t][i] * w[i * bias.length + o];
        }
      }
    }
    return y;
  }

  private double[][] norm(String name, double[][] x) {
    double[] gamma = value(name + ".weight");
    double[] beta = value(name + ".bias");
    double[][] y = new double[x.length][gamma.length];
    for (int t = 0; t < x.length; t++) {
      double mean = Arrays.stream(x[t]).average().orElseThrow();
      double variance =
          Arrays.stream(x[t]).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
      for (int c = 0; c < gamma.length; c++) {
        y[t][c] = (x[t][c] - mean) / Math.sqrt(variance + 1e-5) * gamma[c] + beta[c];
      }
    }
    return y;
  }

  /** By the series around 0, phi(x) (x + x^3 / 3 + x^5 / 15 + ...), which converges everywhere. */
  private static double normalDistribution(double x) {
    double term = x;
    double sum = x;
    for (int n = 3; Math.abs(term) > 1e-18 * Math.abs(sum); n += 2) {
      term *= x * x / n;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  }
}
