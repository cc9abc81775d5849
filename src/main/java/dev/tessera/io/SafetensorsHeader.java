package dev.tessera.io;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON header of a safetensors file: parsed, and checked to divide the data among its tensors
 * without holes, overlaps or a byte left over.
 */
final class SafetensorsHeader {
  private static final String METADATA = "__metadata__";
  private static final int MAX_RANK = 32;
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(4).build())
          .build();

  private final String file;
  private final long dataBytes;
  private final Map<String, String> metadata = new TreeMap<>();
  private final List<Entry> entries = new ArrayList<>();

  private SafetensorsHeader(String file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /** One tensor: bytes [begin, end) of the data. */
  static final class Entry {
    final String name;
    final ElementType type;
    final long[] shape;
    final long begin;
    final long end;

    Entry(String name, ElementType type, long[] shape, long begin, long end) {
      this.name = name;
      this.type = type;
      this.shape = shape;
      this.begin = begin;
      this.end = end;
    }
  }

  /** Parses {@code json}, the header of {@code file} with {@code dataBytes} bytes after it. */
  static SafetensorsHeader parse(String file, byte[] json, long dataBytes)
      throws MalformedFileException {
    SafetensorsHeader header = new SafetensorsHeader(file, dataBytes);
    if (json.length == 0 || json[0] != '{') {
      throw header.fail("the header must begin with '{'");
    }
    refuseBadUtf8(header, json);
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      header.readAll(parser);
    } catch (JacksonException e) {
      throw new MalformedFileException(file, "bad header: " + Json.describe(e), e);
    }
    header.checkCover();
    return header;
  }

  Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  /** In the order of their data. */
  List<Entry> entries() {
    return Collections.unmodifiableList(entries);
  }

  private void readAll(JsonParser parser) throws MalformedFileException {
    expect(parser.nextToken(), JsonToken.START_OBJECT, "header");
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      if (name.equals(METADATA)) {
        readMetadata(parser);
      } else {
        readEntry(parser, name);
      }
    }
    if (parser.nextToken() != null) {
      throw fail("text after the header's closing brace");
    }
  }

  private void readMetadata(JsonParser parser) throws MalformedFileException {
    expect(parser.nextToken(), JsonToken.START_OBJECT, METADATA);
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      expect(parser.nextToken(), JsonToken.VALUE_STRING, METADATA + "." + key);
      metadata.put(key, parser.getString());
    }
  }

  private void readEntry(JsonParser parser, String name) throws MalformedFileException {
    ElementType type = null;
    long[] shape = null;
    long[] offsets = null;
    expect(parser.nextToken(), JsonToken.START_OBJECT, name);
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      switch (parser.currentName()) {
        case "dtype" -> type = readType(parser, name);
        case "shape" -> shape = readNumbers(parser, name, "shape", MAX_RANK);
        case "data_offsets" -> offsets = readNumbers(parser, name, "data_offsets", 2);
        default ->
            throw fail(
                "tensor "
                    + quote(name)
                    + " has the key "
                    + quote(parser.currentName())
                    + "; known are dtype, shape and data_offsets");
      }
    }
    if (type == null || shape == null || offsets == null || offsets.length != 2) {
      throw fail("tensor " + quote(name) + " needs dtype, shape and two data_offsets");
    }
    checkExtent(name, type, shape, offsets);
    entries.add(new Entry(name, type, shape, offsets[0], offsets[1]));
  }

  private ElementType readType(JsonParser parser, String name) throws MalformedFileException {
    expect(parser.nextToken(), JsonToken.VALUE_STRING, name + ".dtype");
    String text = parser.getString();
    for (ElementType type : ElementType.values()) {
      if (type.name().equals(text)) {
        return type;
      }
    }
    throw fail(
        "tensor "
            + quote(name)
            + " has dtype "
            + quote(text)
            + "; readable are "
            + ElementType.all());
  }

  private long[] readNumbers(JsonParser parser, String name, String key, int most)
      throws MalformedFileException {
    long[] numbers = new long[most];
    int count = 0;
    expect(parser.nextToken(), JsonToken.START_ARRAY, name + "." + key);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, name + "." + key);
      if (count == most || parser.getLongValue() < 0) {
        throw fail(
            key + " of tensor " + quote(name) + " must be at most " + most + " numbers >= 0");
      }
      numbers[count++] = parser.getLongValue();
    }
    return Arrays.copyOf(numbers, count);
  }

  private void checkExtent(String name, ElementType type, long[] shape, long[] offsets)
      throws MalformedFileException {
    String extent = "data_offsets " + HostArray.shapeText(offsets) + " of tensor " + quote(name);
    if (offsets[0] > offsets[1] || offsets[1] > dataBytes) {
      throw fail(extent + " do not lie in the " + dataBytes + " bytes of data");
    }
    long bytes = HostArray.byteSize(type, shape);
    if (bytes != offsets[1] - offsets[0]) {
      throw fail(
          extent
              + " span "
              + (offsets[1] - offsets[0])
              + " bytes; "
              + type
              + HostArray.shapeText(shape)
              + " takes "
              + (bytes < 0 ? "more than 2^63" : bytes));
    }
  }

  private void checkCover() throws MalformedFileException {
    entries.sort(
        Comparator.<Entry>comparingLong(e -> e.begin)
            .thenComparingLong(e -> e.end)
            .thenComparing(e -> e.name));
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin != covered) {
        throw fail(
            "tensor "
                + quote(entry.name)
                + " begins at byte "
                + entry.begin
                + " of the data and should at "
                + covered
                + ": no holes or overlaps");
      }
      covered = entry.end;
    }
    if (covered != dataBytes) {
      throw fail("the tensors end at byte " + covered + " of " + dataBytes + " bytes of data");
    }
  }

  private void expect(JsonToken token, JsonToken wanted, String where)
      throws MalformedFileException {
    if (token != wanted) {
      throw fail(quote(where) + " must be " + wanted + " and is " + token);
    }
  }

  private static void refuseBadUtf8(SafetensorsHeader header, byte[] json)
      throws MalformedFileException {
    byte[] again = new String(json, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
    int at = Arrays.mismatch(json, again);
    if (at >= 0) {
      throw new MalformedFileException(header.file, Safetensors.LENGTH_BYTES + at, "not UTF-8");
    }
  }

  /** A name from the file, for a message: printable and short whatever it holds. */
  private static String quote(String name) {
    String shown = name.length() > 80 ? name.substring(0, 80) + "..." : name;
    return "'" + shown.replaceAll("\\p{Cntrl}", "?") + "'";
  }

  private MalformedFileException fail(String problem) {
    return new MalformedFileException(file, problem);
  }
}
