import { expect, test } from 'vitest'
import { linkWish, partsOf, weiOf } from './link-args.ts'

const names = ['n0', 'n1', 'n2', 'n3']

test('a link is read with its units', () => {
  expect(
    linkWish(['n0', 'n1', '--latency', '100ms', '--jitter', '0.02s', '--bandwidth', '1MiB/s']),
  ).toEqual({
    from: 'n0',
    to: 'n1',
    oneWay: false,
    fault: { latencyMs: 100, jitterMs: 20, bytesPerSecond: 1_048_576 },
  })
  expect(linkWish(['n0', 'n1', '--stall', '--one-way'])).toMatchObject({
    ...{ oneWay: true, fault: { stall: true } },
  })
  expect(linkWish(['n2', 'n1', '--cut', '--reset']).fault).toEqual({ cut: true, reset: true })
  expect(linkWish(['n2', 'n1']).fault).toEqual({})
})

test('a link that cannot be is refused with an example', () => {
  for (const [argv, message] of [
    [['n0'], 'two nodes'],
    [['n0', 'n0'], 'no link to itself'],
    [['n0', 'n1', '--latency', '100'], '--latency 100: not a duration'],
    [['n0', 'n1', '--bandwidth', 'fast'], '--bandwidth fast: not a size'],
    [['n0', 'n1', '--bandwidth', '0B'], 'not a size'],
    [['n0', 'n1', '--lag', '1s'], 'lag'],
  ] as const)
    expect(() => linkWish(argv)).toThrow(message)
})

test('parts are sets of nodes or a share of them', () => {
  expect(partsOf('n0,n1|n2,n3', names)).toEqual([
    ['n0', 'n1'],
    ['n2', 'n3'],
  ])
  expect(partsOf('n3 | n0, n1 | n2', names)).toEqual([['n3'], ['n0', 'n1'], ['n2']])
  expect(partsOf('0.5', names)).toEqual(partsOf('n0,n1|n2,n3', names))
  expect(partsOf('0.01', names)).toEqual(partsOf('n0|n1,n2,n3', names))
  expect(partsOf('0.99', names)).toEqual(partsOf('n0,n1,n2|n3', names))
})

test('every node is in exactly one part', () => {
  for (const [spec, message] of [
    [undefined, 'needs its parts'],
    ['n0|n1', 'n2 is in no part'],
    ['n0,n1|n1,n2,n3', 'in two parts'],
    ['n0,n1,n2,n3', 'one part'],
    ['n0,n1|n2,n9', 'no node "n9"'],
    ['1', 'a share like 0.5'],
    ['0', 'a share like 0.5'],
  ] as const)
    expect(() => partsOf(spec, names)).toThrow(message)
})

test('ether becomes wei without rounding', () => {
  expect(weiOf('1')).toBe(10n ** 18n)
  expect(weiOf('0.000000000000000001')).toBe(1n)
  expect(weiOf('10.5')).toBe(105n * 10n ** 17n)
  for (const wrong of ['', '-1', '1e3', '.5', '0.0000000000000000001'])
    expect(() => weiOf(wrong)).toThrow('not an amount')
})
