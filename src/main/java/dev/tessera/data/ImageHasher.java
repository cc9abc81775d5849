package dev.tessera.data;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over images: of a whole set, and of each image alone. */
final class ImageHasher {
  private final ImageDataset data;
  private final byte[] image;
  private final byte[] sizes;

  ImageHasher(ImageDataset data) {
    this.data = data;
    this.image = new byte[data.imageSize()];
    this.sizes =
        ByteBuffer.allocate(12)
            .putInt(data.height())
            .putInt(data.width())
            .putInt(data.channels())
            .array();
  }

  String fingerprint() {
    MessageDigest digest = sha256();
    digest.update(sizes);
    for (int i = 0; i < data.count(); i++) {
      data.read(i, image);
      digest.update(image);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  long[] contentHashes() {
    MessageDigest digest = sha256();
    long[] hashes = new long[data.count()];
    for (int i = 0; i < hashes.length; i++) {
      data.read(i, image);
      digest.update(sizes);
      digest.update(image);
      hashes[i] = ByteBuffer.wrap(digest.digest()).getLong();
    }
    return hashes;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
