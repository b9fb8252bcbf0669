import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { createGroupCommit, type Sized } from './group-commit.ts'

const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** A disk that writes down what it is asked and finishes when told. */
function slowDisk() {
  const commits: { keys: number[]; sync: boolean; finish: (error?: Error) => void }[] = []
  const commit = createGroupCommit<Sized>(
    (operations, sync) =>
      new Promise((resolve, reject) => {
        const keys = operations.map(({ key }) => key[0] ?? -1)
        commits.push({ keys, sync, finish: error => (error ? reject(error) : resolve()) })
      }),
    turn,
  )
  return { commits, commit }
}

const op = (key: number, valueBytes = 1) => [
  { key: Uint8Array.of(key), value: new Uint8Array(valueBytes) },
]

test('batches of one turn go to the disk as one commit, synced when one of them is', async () => {
  const { commit, commits } = slowDisk()
  const all = [commit.add(op(1), false), commit.add(op(2), true), commit.add(op(3), false)]
  await turn()

  expect(commits).toMatchObject([{ keys: [1, 2, 3], sync: true }])
  commits[0]?.finish()
  await Promise.all(all)
})

test('what comes while a commit is under way shares the next one, in order', async () => {
  const { commit, commits } = slowDisk()
  const first = commit.add(op(1), true)
  await turn()
  const later = [commit.add(op(2), false), commit.add(op(1), false)]
  await turn()

  expect(commits).toHaveLength(1)
  commits[0]?.finish()
  await first
  await turn()
  expect(commits[1]).toMatchObject({ keys: [2, 1], sync: false })
  commits[1]?.finish()
  await Promise.all(later)
})

test('a failed commit refuses its batches and no others', async () => {
  const { commit, commits } = slowDisk()
  const doomed = [commit.add(op(1), true), commit.add(op(2), true)]
  const outcomes = Promise.allSettled(doomed)
  await turn()
  const next = commit.add(op(3), true)
  commits[0]?.finish(new Error('no space left'))

  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await turn()
  commits[1]?.finish()
  await next
})

test('a group ends before it grows over its limit, and a larger batch goes alone', async () => {
  const { commit, commits } = slowDisk()
  const half = limits.storeGroupBytes / 2
  const all = [
    commit.add(op(1, half - 1), true),
    commit.add(op(2, half - 1), true),
    commit.add(op(3, 1), true),
    commit.add(op(4, limits.storeGroupBytes + 1), true),
  ]
  for (let i = 0; i < 3; i++) {
    await turn()
    commits[i]?.finish()
  }
  await Promise.all(all)

  expect(commits.map(({ keys }) => keys)).toEqual([[1, 2], [3], [4]])
})

test('above the waiting limit a batch is refused as load/queue-full', async () => {
  const { commit, commits } = slowDisk()
  const first = commit.add(op(1, limits.storeWaitingBytesMax - 1), true)

  await expect(commit.add(op(2), true)).rejects.toMatchObject({ code: 'load/queue-full' })
  await turn()
  commits[0]?.finish()
  await first
})

test('draining writes what waits and takes nothing more', async () => {
  const { commit, commits } = slowDisk()
  const waiting = commit.add(op(1), true)
  const drained = commit.drain()

  await expect(commit.add(op(2), true)).rejects.toMatchObject({ code: 'store/closed' })
  await turn()
  commits[0]?.finish()
  await Promise.all([waiting, drained])
})
