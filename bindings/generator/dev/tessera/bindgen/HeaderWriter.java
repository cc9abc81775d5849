package dev.tessera.bindgen;

/** Writes the header's class: symbol lookup, constants and functions. */
final class HeaderWriter {
  private HeaderWriter() {}

  static String write(String packageName, String headerClass, Header header) {
    JavaFile file = new JavaFile(packageName);
    file.outer("public class %1$s extends %1$s$shared {\n\n".formatted(headerClass));
    file.member(
        """
        %s() {
            // Should not be called directly
        }

        static final Arena LIBRARY_ARENA = Arena.ofAuto();

        static final SymbolLookup SYMBOL_LOOKUP = SymbolLookup.loaderLookup()
                .or(Linker.nativeLinker().defaultLookup());

        """
            .formatted(headerClass));
    for (Header.EnumConstant constant : header.constants()) {
      constant(
          file,
          constant.name(),
          constant.value(),
          "enum %s.%s = %d".formatted(constant.enumName(), constant.name(), constant.value()));
    }
    FunctionWriter functions = new FunctionWriter(file, headerClass);
    header.functions().forEach(functions::write);
    header
        .macros()
        .forEach((name, value) -> constant(file, name, value, "#define " + name + " " + value));
    file.outer("}\n\n");
    return file.toString();
  }

  private static void constant(JavaFile file, String cName, int value, String declaration) {
    String name = JavaFile.javaName(cName);
    file.member("private static final int %s = (int)%dL;\n".formatted(name, value));
    file.comment("", declaration);
    file.member(
        """
        public static int %1$s() {
            return %1$s;
        }
        """
            .formatted(name));
  }
}
