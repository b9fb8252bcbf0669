/** One act at a time for each name; the others wait in order. Whoever is let in must leave. */
export function createLanes() {
  const lanes = new Map<string, (() => void)[]>()

  function enter(name: string, act: () => void): void {
    const waiting = lanes.get(name)
    if (waiting !== undefined) {
      waiting.push(act)
      return
    }
    lanes.set(name, [])
    act()
  }

  function leave(name: string): void {
    const next = lanes.get(name)?.shift()
    if (next === undefined) lanes.delete(name)
    else next()
  }

  return { enter, leave, size: () => lanes.size }
}
