/** Resolves when `holds` does, looking every few milliseconds. For tests and benches over real sockets, where nothing tells. */
export async function until(holds: () => boolean, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after ${withinMs} ms: ${holds}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
