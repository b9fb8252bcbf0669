import { Rng, VirtualClock } from '@rockpool/actor'
import { limits, type Write } from '@rockpool/protocol'
import { rejectionCode, storeSuite } from '@rockpool/protocol/conformance'
import { describe, expect, test } from 'vitest'
import { Disk } from './disk.ts'

const hop = () => new Promise<void>(resolve => setImmediate(resolve))
const key = (n: number) => Uint8Array.of(n >> 8, n & 255)
const put = (n: number) => ({ type: 'put', key: key(n), value: key(n) }) satisfies Write
/** As the engine of room `a` has it. */
const whole = (n: number) => Buffer.concat([Buffer.from('!a!'), key(n)])

function aDisk(seed = '1', meanMs = 5) {
  const clock = new VirtualClock()
  const disk = new Disk({
    clock,
    rng: new Rng(seed),
    node: 0,
    meanMs,
    hop,
    settled() {},
    count() {},
  })
  return { clock, disk }
}

/** Fires timers for as long as something waits for them. */
async function driven<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false
  const ended = () => {
    done = true
  }
  work.then(ended, ended)
  for (let idle = 0; !done && idle < 100; idle++) {
    await hop()
    if (!done && clock.fireNext()) idle = 0
  }
  return work
}

describe('the twin of the disk', () => {
  storeSuite({ test, expect }, () => {
    const { clock, disk } = aDisk()
    const mount = disk.mount()
    let open = true
    const drive = async (): Promise<void> => {
      for (let idle = 0; idle < 1_000; idle++) {
        await hop()
        if (clock.fireNext()) idle = 0
        if (!open && clock.armed === 0) idle += 100
      }
    }
    void drive()
    return {
      store: mount.store('a'),
      other: mount.store('b'),
      async close() {
        await mount.close()
        open = false
      },
    }
  })
})

describe('a crash', () => {
  test('keeps a prefix of what was written, never a hole, and all that was synced', async () => {
    const kept = new Set<number>()
    for (let seed = 0; seed < 60; seed++) {
      const { clock, disk } = aDisk(`${seed}`, 50)
      const mount = disk.mount()
      const store = mount.store('room')
      await driven(clock, store.batch([put(0)], { sync: true }))
      for (let n = 1; n <= 20; n++) await driven(clock, store.batch([put(n), put(n + 100)]))
      disk.crash()
      mount.kill()
      const after = disk.mount().store('room')
      const found = await driven(clock, after.scan({}))
      const numbers = found.map(entry => (entry.key[0] ?? 0) * 256 + (entry.key[1] ?? 0))
      const count = (numbers.length - 1) / 2
      const low = Array.from({ length: count + 1 }, (_, n) => n)
      const high = Array.from({ length: count }, (_, n) => n + 101)
      expect(numbers).toEqual([...low, ...high])
      kept.add(count)
    }
    expect(kept.size).toBeGreaterThan(5)
  })

  test('undoes over rooms in the order of the writes', async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const { clock, disk } = aDisk(`${seed}`, 50)
      const mount = disk.mount()
      await driven(clock, mount.store('a').batch([put(1)]))
      await driven(clock, mount.store('b').batch([put(1)]))
      disk.crash()
      mount.kill()
      const after = disk.mount()
      const found = ['a', 'b'].map(room => driven(clock, after.store(room).get(key(1))))
      outcomes.add((await Promise.all(found)).map(value => value !== undefined).join())
    }
    expect([...outcomes].toSorted()).toEqual(['false,false', 'true,false', 'true,true'])
  })

  test('what a later boot writes is not made durable by a timer of an earlier one', async () => {
    const { clock, disk } = aDisk('x', 1_000)
    const before = disk.mount()
    await driven(clock, before.store('a').batch([put(1)]))
    disk.crash()
    before.kill()
    let durable = false
    void disk
      .mount()
      .store('a')
      .batch([put(2)], { sync: true })
      .then(() => {
        durable = true
      })
    await hop()
    const first = clock.next() ?? 0
    clock.set(first)
    expect(disk.unsynced).toBeGreaterThan(0)
    clock.fireNext(first)
    await hop()
    expect(durable).toBe(false)
    for (let turn = 0; turn < 10; turn++) {
      clock.fireNext()
      await hop()
    }
    expect(durable).toBe(true)
  })

  test('of the process leaves its promises open for ever', async () => {
    const { clock, disk } = aDisk()
    const mount = disk.mount()
    let settled = false
    const mark = () => {
      settled = true
    }
    mount
      .store('a')
      .batch([put(1)], { sync: true })
      .then(mark, mark)
    mount.store('a').get(key(1)).then(mark, mark)
    mount.kill()
    disk.crash()
    while (clock.fireNext()) await hop()
    expect(settled).toBe(false)
  })
})

describe('a disk that fails', () => {
  test('refuses batches with store/full while it is full, and takes them again', async () => {
    const { clock, disk } = aDisk()
    const store = disk.mount().store('a')
    disk.full = true
    expect(await driven(clock, rejectionCode(store.batch([put(1)])))).toBe('store/full')
    expect(await driven(clock, store.get(key(1)))).toBe(undefined)
    disk.full = false
    await driven(clock, store.batch([put(1)]))
    expect(await driven(clock, store.get(key(1)))).toEqual(key(1))
  })

  test('that was full is looked at once a second, and nothing is written behind a torn record', async () => {
    const { clock, disk } = aDisk()
    const mount = disk.mount()
    const store = mount.store('a')
    disk.full = true
    const refused = () => driven(clock, rejectionCode(store.batch([put(1)], { sync: true })))
    expect([await refused(), await refused()]).toEqual(['store/full', 'store/full'])
    disk.full = false
    expect(await refused()).toBe('store/full')
    clock.set(clock.now() + limits.storeMendEveryMs)
    await driven(clock, store.batch([put(2)], { sync: true }))
    disk.crash()
    mount.kill()
    const found = await driven(clock, disk.mount().store('a').scan({}))
    expect(found.map(({ key: bytes }) => bytes)).toEqual([key(2)])
  })

  test('loses at the next start what an engine takes behind a torn record', async () => {
    const { clock, disk } = aDisk()
    const engine = disk.engine()
    const write = (n: number) => engine.batch([{ ...put(n), key: whole(n) }], { sync: true })
    await driven(clock, write(1))
    disk.full = true
    await driven(clock, rejectionCode(write(2)))
    disk.full = false
    await driven(clock, write(3))
    expect(engine.getSync(whole(3))).toEqual(key(3))
    disk.flush()
    const after = disk.mount().store('a')
    const found = await driven(clock, after.scan({}))
    expect(found.map(({ key: bytes }) => bytes)).toEqual([key(1)])
  })

  test('names the record it cannot read', async () => {
    const { clock, disk } = aDisk()
    const store = disk.mount().store('a')
    await driven(clock, store.batch([put(1), put(2)], { sync: true }))
    disk.corrupt('a', key(2))
    expect(await driven(clock, store.get(key(1)))).toEqual(key(1))
    expect(await driven(clock, rejectionCode(store.get(key(2))))).toBe('store/corrupt')
    expect(await driven(clock, rejectionCode(store.scan({})))).toBe('store/corrupt')
    expect(disk.damaged).toBe(true)
  })

  test('is slow when it is told to be', async () => {
    const { clock, disk } = aDisk('1', 0)
    const store = disk.mount().store('a')
    await driven(clock, store.batch([put(1)], { sync: true }))
    expect(clock.now()).toBeLessThan(1)
    disk.meanMs = 1_000
    for (let n = 0; n < 10; n++) await driven(clock, store.batch([put(n)], { sync: true }))
    expect(clock.now()).toBeGreaterThan(2_000)
  })
})
