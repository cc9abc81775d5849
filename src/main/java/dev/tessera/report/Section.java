package dev.tessera.report;

/** A part of the page under a heading of its own. */
public interface Section {
  /** The heading. */
  String title();

  /** A sentence or two beside the heading: how to read what is shown. May be empty. */
  String note();

  /** Writes what stands under the heading. */
  void writeTo(Markup out);
}
