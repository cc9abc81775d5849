package dev.tessera.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Safetensors files (Hugging Face's format): eight bytes with the header's length, a JSON header,
 * and the tensors' bytes. Readable and writable are the types of {@link ElementType}.
 *
 * <p>Written bytes are a function of names, arrays and metadata alone: tensors lie in the reference
 * implementation's order (wider elements first, then by name, so that all are aligned), metadata by
 * key.
 */
public final class Safetensors {
  static final int LENGTH_BYTES = 8;

  /** Longest header accepted, 16 MiB: some 100,000 tensors. */
  static final int MAX_HEADER = 1 << 24;

  private static final int ALIGNMENT = 64;
  private static final JsonFactory JSON = new JsonFactory();

  private final String file;
  private final Map<String, HostArray> tensors;
  private final Map<String, String> metadata;

  private Safetensors(String file, Map<String, HostArray> tensors, Map<String, String> metadata) {
    this.file = file;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.metadata = metadata;
  }

  /**
   * Reads a whole file. Each tensor is allocated from {@code arena}, aligned to 64 bytes, after the
   * header has been checked against the file's size.
   *
   * @throws MalformedFileException if header, types, shapes or offsets are wrong, or the tensors do
   *     not cover the data exactly
   */
  public static Safetensors read(Path file, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      byte[] json = readHeader(file, channel);
      long dataAt = LENGTH_BYTES + (long) json.length;
      SafetensorsHeader header =
          SafetensorsHeader.parse(file.toString(), json, channel.size() - dataAt);
      Map<String, HostArray> tensors = new TreeMap<>();
      for (SafetensorsHeader.Entry entry : header.entries()) {
        MemorySegment data = arena.allocate(entry.end - entry.begin, ALIGNMENT);
        FileReads.read(file, channel, dataAt + entry.begin, data);
        tensors.put(entry.name, new HostArray(entry.type, entry.shape, data));
      }
      return new Safetensors(file.toString(), tensors, header.metadata());
    }
  }

  /**
   * Writes a file, atomically.
   *
   * @throws IllegalArgumentException if a tensor is named {@code __metadata__}, or the header would
   *     be longer than 16 MiB
   */
  public static void write(Path file, Map<String, HostArray> tensors, Map<String, String> metadata)
      throws IOException {
    List<Map.Entry<String, HostArray>> ordered =
        tensors.entrySet().stream()
            .sorted(
                Comparator.<Map.Entry<String, HostArray>>comparingInt(
                        e -> -e.getValue().type().bytes())
                    .thenComparing(Map.Entry::getKey))
            .toList();
    ByteBuffer header = header(ordered, metadata);
    AtomicFiles.write(
        file,
        channel -> {
          AtomicFiles.writeFully(channel, header);
          for (Map.Entry<String, HostArray> tensor : ordered) {
            FileReads.write(channel, tensor.getValue().data());
          }
        });
  }

  /** All tensors, ordered by name. */
  public Map<String, HostArray> tensors() {
    return tensors;
  }

  /** The free text that the writer attached, ordered by key. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * A tensor that must be there with this type and shape.
   *
   * @throws MalformedFileException if it is missing or different
   */
  public HostArray get(String name, ElementType type, long... shape) throws MalformedFileException {
    HostArray found = tensors.get(name);
    if (found == null) {
      throw new MalformedFileException(
          file, "no tensor '" + name + "'" + NearestName.hint(name, tensors.keySet()));
    }
    if (found.type() != type || !Arrays.equals(found.shape(), shape)) {
      throw new MalformedFileException(
          file,
          "tensor '"
              + name
              + "' is "
              + found
              + " and should be "
              + type
              + HostArray.shapeText(shape));
    }
    return found;
  }

  private static byte[] readHeader(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < LENGTH_BYTES) {
      throw new MalformedFileException(
          file, size + " bytes; a safetensors file begins with 8 bytes of length");
    }
    byte[] lengthBytes = new byte[LENGTH_BYTES];
    FileReads.read(file, channel, 0, MemorySegment.ofArray(lengthBytes));
    long length = ByteBuffer.wrap(lengthBytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    long most = Math.min(MAX_HEADER, size - LENGTH_BYTES);
    if (length < 0 || length > most) {
      throw new MalformedFileException(
          file,
          0,
          "a header of " + Long.toUnsignedString(length) + " bytes; here it can be " + most);
    }
    byte[] json = new byte[(int) length];
    FileReads.read(file, channel, LENGTH_BYTES, MemorySegment.ofArray(json));
    return json;
  }

  private static ByteBuffer header(
      List<Map.Entry<String, HostArray>> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    try (JsonGenerator out = JSON.createGenerator(ObjectWriteContext.empty(), json)) {
      out.writeStartObject();
      if (!metadata.isEmpty()) {
        out.writeObjectPropertyStart("__metadata__");
        new TreeMap<>(metadata).forEach(out::writeStringProperty);
        out.writeEndObject();
      }
      long begin = 0;
      for (Map.Entry<String, HostArray> tensor : tensors) {
        if (tensor.getKey().equals("__metadata__")) {
          throw new IllegalArgumentException("a tensor may not be named __metadata__");
        }
        long end = begin + tensor.getValue().data().byteSize();
        writeEntry(out, tensor.getKey(), tensor.getValue(), begin, end);
        begin = end;
      }
      out.writeEndObject();
    }
    while (json.size() % 8 != 0) {
      json.write(' ');
    }
    if (json.size() > MAX_HEADER) {
      throw new IllegalArgumentException("a header of " + json.size() + " bytes is too long");
    }
    return ByteBuffer.allocate(LENGTH_BYTES + json.size())
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.size())
        .put(json.toByteArray())
        .flip();
  }

  private static void writeEntry(
      JsonGenerator out, String name, HostArray tensor, long begin, long end) {
    out.writeObjectPropertyStart(name);
    out.writeStringProperty("dtype", tensor.type().name());
    out.writeArrayPropertyStart("shape");
    for (long dimension : tensor.shape()) {
      out.writeNumber(dimension);
    }
    out.writeEndArray();
    out.writeArrayPropertyStart("data_offsets");
    out.writeNumber(begin);
    out.writeNumber(end);
    out.writeEndArray();
    out.writeEndObject();
  }
}
