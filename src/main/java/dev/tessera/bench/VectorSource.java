package dev.tessera.bench;

import java.io.IOException;

/** Where rows and codes come from. The same source gives the same ones for the same shape. */
public interface VectorSource {
  /**
   * Rows [N,D] and codes [K,D].
   *
   * @throws IllegalArgumentException if the source has not so many, or not of this length
   */
  VectorData draw(int n, int k, int d) throws IOException;

  /** What they are, whatever the shape, for people. */
  String description();
}
