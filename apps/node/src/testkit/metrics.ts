/** The samples of one counter by one of its labels, as `/metrics` shows them. */
export async function scrape(
  ops: string,
  name: string,
  label: string,
): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${ops}/metrics`)).text()
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    const match = /^(\w+)\{(.*)\} (\S+)$/.exec(line)
    const value = new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(match?.[2] ?? '')?.[1]
    if (match?.[1] !== name || value === undefined) continue
    samples.set(value, (samples.get(value) ?? 0) + Number(match[3]))
  }
  return samples
}
