# call_wrappers.awk tessera.h: writes, for each function of the header, one of the same name that calls the library's and
# records it (calls.h). What this does not understand is missing from the count, which then fails.
{ text = text $0 "\n" }

# "type name, type name" -> "name, name"
function names(parameters, count, parts, i, list) {
  count = split(parameters, parts, /,/)
  list = ""
  for (i = 1; i <= count; i++) {
    sub(/^.*[ *]/, "", parts[i])
    list = list (i > 1 ? ", " : "") parts[i]
  }
  return list
}

END {
  while ((begin = index(text, "/*")) > 0) {
    rest = substr(text, begin + 2)
    text = substr(text, 1, begin - 1) substr(rest, index(rest, "*/") + 2)
  }
  gsub(/[ \n]+/, " ", text)
  print "#include \"calls.h\"\n\nusing namespace tessera::calls;\n\nextern \"C\" {\n"
  count = split(text, declarations, /;/)
  for (i = 1; i <= count; i++) {
    declaration = declarations[i]
    if (!match(declaration, /(ts_status|uint32_t) ts_[a-z0-9_]+\([^()]*\)$/)) continue
    declaration = substr(declaration, RSTART)
    split(declaration, parts, /[ (]/)
    type = parts[1]
    name = parts[2]
    parameters = substr(declaration, index(declaration, "(") + 1)
    sub(/\)$/, "", parameters)
    list = parameters == "void" ? "" : names(parameters)
    printf "%s {\n  static const auto library = real<decltype(&%s)>(\"%s\");\n", declaration, name, name
    printf "  %s result = library(%s);\n  record(\"%s\", %s%s%s);\n  return result;\n}\n\n", type, list, name,
           type == "ts_status" ? "result" : "TS_OK", list == "" ? "" : ", ", list
  }
  print "}"
}
