# budget.awk: reads budget.csv for check_budget.awk and check_launches.awk, which are run as
#   awk -f budget.awk -f check_....awk budget.csv FILE
# A row's kernel is in double quotes, with a * at its end for all that begin alike; its archs are "all" or a list with
# spaces between.

# The fields of a line whose first is in double quotes, into field[1] on. Returns their number, 0 if there is no quote.
function split_row(line, field,   n, i, rest) {
  if (line !~ /^"[^"]*",/) return 0
  field[1] = substr(line, 2, index(substr(line, 2), "\"") - 1)
  n = split(substr(line, length(field[1]) + 4), rest, ",")
  for (i = 1; i <= n; i++) field[i + 1] = rest[i]
  return n + 1
}

function complain(text) {
  print text
  complaints++
}

function is_number(text) { return text ~ /^[0-9]+$/ }

BEGIN { budget_columns = split("kernel archs hot threads blocks registers shared instructions", budget_column, " ") }

FILENAME == ARGV[1] {
  sub(/\r$/, "")
  if (/^#/ || /^$/ || /^kernel,/) next
  if (split_row($0, field) != budget_columns) {
    complain("budget.csv:" FNR ": has not the columns kernel in quotes, archs, hot, threads, blocks, registers, shared, instructions")
    next
  }
  rows++
  for (i = 1; i <= budget_columns; i++) row[rows, budget_column[i]] = field[i]
  row[rows, "line"] = FNR
  if (field[2] !~ /^(all|[0-9]+( [0-9]+)*)$/ || field[3] !~ /^(yes|no)$/ || !is_number(field[4]) || !is_number(field[5]) ||
      !is_number(field[6]) || field[7] !~ /^([0-9]+|planned)$/)
    complain("budget.csv:" FNR ": archs must be all or numbers, hot yes or no, the rest numbers, shared also planned")
  next
}

function fits_name(r, name,   pattern) {
  pattern = row[r, "kernel"]
  if (pattern ~ /\*$/) return index(name, substr(pattern, 1, length(pattern) - 1)) == 1
  return name == pattern
}
function fits_arch(r, arch) { return row[r, "archs"] == "all" || index(" " row[r, "archs"] " ", " " arch " ") > 0 }
