/** A table for people, tab-separated values for a pipe. The first row is its heading. */
export function columns(rows: readonly (readonly string[])[]): string {
  if (process.stdout.isTTY !== true) return rows.map(row => row.join('\t')).join('\n')
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
