package dev.tessera.bindgen;

/**
 * Writes {@code tessera_h$shared}: the layouts of C's types, and the helpers of the other classes.
 */
final class SharedWriter {
  private SharedWriter() {}

  static String write(String packageName, String headerClass) {
    JavaFile file = new JavaFile(packageName);
    file.outer("public class %1$s$shared {\n\n".formatted(headerClass));
    file.member(
        """
        %1$s$shared() {
            // Should not be called directly
        }

        public static final ValueLayout.OfBoolean C_BOOL = (ValueLayout.OfBoolean) Linker.nativeLinker().canonicalLayouts().get("bool");
        public static final ValueLayout.OfByte C_CHAR = (ValueLayout.OfByte) Linker.nativeLinker().canonicalLayouts().get("char");
        public static final ValueLayout.OfShort C_SHORT = (ValueLayout.OfShort) Linker.nativeLinker().canonicalLayouts().get("short");
        public static final ValueLayout.OfInt C_INT = (ValueLayout.OfInt) Linker.nativeLinker().canonicalLayouts().get("int");
        public static final ValueLayout.OfLong C_LONG_LONG = (ValueLayout.OfLong) Linker.nativeLinker().canonicalLayouts().get("long long");
        public static final ValueLayout.OfFloat C_FLOAT = (ValueLayout.OfFloat) Linker.nativeLinker().canonicalLayouts().get("float");
        public static final ValueLayout.OfDouble C_DOUBLE = (ValueLayout.OfDouble) Linker.nativeLinker().canonicalLayouts().get("double");
        public static final AddressLayout C_POINTER = ((AddressLayout) Linker.nativeLinker().canonicalLayouts().get("void*"))
                .withTargetLayout(MemoryLayout.sequenceLayout(java.lang.Long.MAX_VALUE, C_CHAR));
        public static final ValueLayout.OfLong C_LONG = (ValueLayout.OfLong) Linker.nativeLinker().canonicalLayouts().get("long");

        static final boolean TRACE_DOWNCALLS = Boolean.getBoolean("jextract.trace.downcalls");

        static void traceDowncall(String name, Object... args) {
             String traceArgs = Arrays.stream(args)
                           .map(Object::toString)
                           .collect(Collectors.joining(", "));
             System.out.printf("%%s(%%s)\\n", name, traceArgs);
        }
        """
            .formatted(headerClass));
    file.outer("}\n");
    return file.toString();
  }
}
