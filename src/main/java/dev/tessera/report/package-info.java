/**
 * The report of a run: one self-contained page that needs no network and no scripts. {@link
 * dev.tessera.report.Report} puts it together from sections; each section is a class of its own, so
 * that another kind of model adds its curves and samples as another section. Charts are SVG, drawn
 * by {@code LineChart} and {@code UsageChart}; all markup goes through {@code Markup}, which
 * escapes every string and keeps the page well-formed XML. {@link dev.tessera.report.PanelChart} is
 * a picture by itself, for what is no run.
 */
@NullMarked
package dev.tessera.report;

import org.jspecify.annotations.NullMarked;
