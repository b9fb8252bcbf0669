import type { Entry } from './entry.ts'

/**
 * A binary heap, smallest on top, whose entries know their position so that any of them can leave at once. It sifts exactly like Go's
 * container/heap: among equals, who stands where follows from history, and geth's victims follow from that.
 */
export class Heap {
  items: Entry[] = []
  private readonly place: 'urgent' | 'floating'
  private readonly order: (left: Entry, right: Entry) => number

  constructor(place: 'urgent' | 'floating', order: (left: Entry, right: Entry) => number) {
    this.place = place
    this.order = order
  }

  push(entry: Entry): void {
    entry.place = this.place
    this.items.push(entry)
    this.up(this.items.length - 1, entry)
  }

  pop(): Entry | undefined {
    const top = this.items[0]
    const last = this.items.pop()
    if (top === undefined || last === undefined) return undefined
    if (last !== top) this.downFromTop(last)
    top.place = 'none'
    top.position = -1
    return top
  }

  /** The smallest ones, in order. */
  popMany(count: number): Entry[] {
    const popped: Entry[] = []
    for (let entry = count > 0 ? this.pop() : undefined; entry !== undefined; ) {
      popped.push(entry)
      entry = popped.length < count ? this.pop() : undefined
    }
    return popped
  }

  remove(entry: Entry): void {
    const index = entry.position
    const last = this.items.pop() as Entry
    if (last !== entry) {
      this.down(index, last)
      if (last.position === index) this.up(index, last)
    }
    entry.place = 'none'
    entry.position = -1
  }

  /** Takes other entries instead. */
  rebuild(items: Entry[]): void {
    for (const entry of this.items) entry.place = 'none'
    this.adopt(items)
    for (let index = (items.length >> 1) - 1; index >= 0; index--) {
      this.down(index, items[index] as Entry)
    }
  }

  /** Takes entries that are in heap order already, as they stand. */
  adopt(items: Entry[]): void {
    this.items = items
    for (let index = 0; index < items.length; index++) {
      const entry = items[index] as Entry
      entry.place = this.place
      entry.position = index
    }
  }

  private up(start: number, entry: Entry): void {
    const { items, order } = this
    let index = start
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = items[above] as Entry
      if (order(entry, parent) >= 0) break
      items[index] = parent
      parent.position = index
      index = above
    }
    items[index] = entry
    entry.position = index
  }

  /**
   * The same place as `down` finds, with half the comparisons: what comes from the end of the heap belongs near its end, so it goes down to
   * a leaf unasked and climbs from there.
   */
  private downFromTop(entry: Entry): void {
    const { items, order } = this
    const { length } = items
    let index = 0
    for (let below = 1; below < length; below = 2 * index + 1) {
      const right = items[below + 1]
      if (right !== undefined && order(right, items[below] as Entry) < 0) below++
      const child = items[below] as Entry
      items[index] = child
      child.position = index
      index = below
    }
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = items[above] as Entry
      if (order(parent, entry) < 0) break
      items[index] = parent
      parent.position = index
      index = above
    }
    items[index] = entry
    entry.position = index
  }

  private down(start: number, entry: Entry): void {
    const { items, order } = this
    const { length } = items
    let index = start
    for (;;) {
      let below = 2 * index + 1
      if (below >= length) break
      const right = items[below + 1]
      if (right !== undefined && order(right, items[below] as Entry) < 0) below++
      const child = items[below] as Entry
      if (order(child, entry) >= 0) break
      items[index] = child
      child.position = index
      index = below
    }
    items[index] = entry
    entry.position = index
  }
}
