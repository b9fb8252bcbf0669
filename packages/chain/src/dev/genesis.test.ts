import type { Address } from '@rockpool/protocol'
import { toHex } from '@rockpool/protocol'
import fc from 'fast-check'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { aGenesis, aProducer, gwei } from '../testkit/chains.ts'
import { keccak256 } from '../testkit/keccak.ts'
import { addressAt, walletOfKey } from '../testkit/wallets.ts'
import { devAccounts, devBalance, devMnemonic } from './dev-accounts.ts'
import type { Genesis } from './genesis.ts'
import { devGenesis, genesisBlock, genesisToPlain, parseGenesis } from './genesis.ts'

const minimal = { 'chain-id': 1337, producers: [aProducer] }

function parsed(value: unknown): Genesis {
  const answer = parseGenesis(value, keccak256)
  if (!answer.ok) throw new Error(answer.message)
  return answer.value
}

function mistakes(value: unknown): string {
  const answer = parseGenesis(value, keccak256)
  if (answer.ok) return 'none'
  expect(answer.code).toBe('config/bad-genesis')
  return answer.message
}

describe('the preset', () => {
  test('has the twenty accounts that viem derives from the known phrase', () => {
    const derived = devAccounts.map((_, addressIndex) => {
      const account = mnemonicToAccount(devMnemonic, { addressIndex })
      const { privateKey } = account.getHdKey()
      return {
        address: account.address.toLowerCase(),
        privateKey: privateKey === null ? '' : toHex(privateKey),
      }
    })

    expect(devAccounts).toHaveLength(20)
    expect(devAccounts).toEqual(derived)
    expect(devAccounts[0]?.address).toBe(
      walletOfKey(Buffer.from(devAccounts[0]?.privateKey.slice(2) ?? '', 'hex')).address,
    )
  })

  test('gives each of them 10,000 ether and nothing to anybody else', () => {
    const { alloc } = devGenesis({ producers: [aProducer] })

    expect(alloc.size).toBe(20)
    for (const account of alloc.values())
      expect(account).toEqual({ balance: devBalance, nonce: 0n })
  })

  test('is what a file with only its chain id and producers says', () => {
    expect(parsed(minimal)).toEqual(devGenesis({ producers: [aProducer] }))
  })
})

describe('a genesis file', () => {
  const full = {
    'chain-id': 4_242,
    forks: {
      londonBlock: 0,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 1_800_000_000,
      osakaTime: null,
    },
    'gas-limit': 15_000_000,
    'base-fee': '7gwei',
    'block-time': '500ms',
    producers: [addressAt(1), addressAt(2)],
    reward: '2 ether',
    time: 1_750_000_000,
    alloc: {
      [addressAt(5)]: { balance: '1.5ether', nonce: 3 },
      [addressAt(4)]: { balance: 12 },
    },
    director: addressAt(9),
  }

  test('is read field by field, amounts with their units', () => {
    expect(parsed(full)).toEqual({
      chainId: 4_242,
      forks: {
        londonBlock: 0,
        shanghaiTime: 0,
        cancunTime: 0,
        pragueTime: 1_800_000_000,
        osakaTime: null,
      },
      gasLimit: 15_000_000,
      baseFee: 7n * gwei,
      blockTimeMs: 500,
      producers: [addressAt(1), addressAt(2)],
      reward: 2n * 10n ** 18n,
      timeSeconds: 1_750_000_000,
      alloc: new Map([
        [addressAt(5), { balance: 15n * 10n ** 17n, nonce: 3n }],
        [addressAt(4), { balance: 12n, nonce: 0n }],
      ]),
      director: addressAt(9),
    })
  })

  test.each([
    ['2s', 2_000],
    ['500ms', 500],
    ['1m', 60_000],
    [0, 0],
    ['0', 0],
  ])('block-time %s is %i ms', (text, expected) => {
    expect(parsed({ ...minimal, 'block-time': text }).blockTimeMs).toBe(expected)
  })

  test.each([
    ['1gwei', gwei],
    ['0.5 gwei', gwei / 2n],
    [7, 7n],
    [7n, 7n],
    ['1000000007', 1_000_000_007n],
    ['0x10', 16n],
  ])('base-fee %s is %s wei', (text, expected) => {
    expect(parsed({ ...minimal, 'base-fee': text }).baseFee).toBe(expected)
  })

  test('written out and read back is the same genesis, through JSON too', () => {
    const anyAddress = fc.bigInt(0n, 2n ** 160n - 1n).map(value => {
      return `0x${value.toString(16).padStart(40, '0')}` as Address
    })
    const anyGenesis = fc.record({
      chainId: fc.integer({ min: 100_000, max: Number.MAX_SAFE_INTEGER }),
      gasLimit: fc.integer({ min: 5_000, max: 2 ** 31 }),
      baseFee: fc.bigInt(0n, 2n ** 200n),
      blockTimeMs: fc.nat(86_400_000),
      producers: fc.uniqueArray(anyAddress, { minLength: 1, maxLength: 8 }),
      reward: fc.bigInt(0n, 2n ** 90n),
      timeSeconds: fc.nat(),
      alloc: fc
        .uniqueArray(
          fc.tuple(
            anyAddress,
            fc.record({ balance: fc.bigInt(0n, 2n ** 200n), nonce: fc.bigInt(0n, 2n ** 53n - 1n) }),
          ),
          { selector: ([address]) => address },
        )
        .map(entries => new Map(entries)),
      director: fc.option(anyAddress, { nil: null }),
    })
    fc.assert(
      fc.property(anyGenesis, wish => {
        const genesis = aGenesis(wish)
        const plain: unknown = JSON.parse(JSON.stringify(genesisToPlain(genesis)))

        expect(parsed(plain)).toEqual(genesis)
        expect(genesisBlock(parsed(plain), keccak256).header.hash).toBe(
          genesisBlock(genesis, keccak256).header.hash,
        )
      }),
      { numRuns: 50 },
    )
  })
})

describe('a bad genesis file', () => {
  test.each([1, 10, 137, 8453, 42161])(
    'is refused with the chain id %i of a public network',
    id => {
      expect(mistakes({ ...minimal, 'chain-id': id })).toBe(
        `chain id ${id} is a public network's; a dev chain there could make replayable signatures`,
      )
    },
  )

  test('is told every mistake at once, each with its field', () => {
    const message = mistakes({
      'chain-id': 0,
      'gas-limit': 4_999,
      'base-fee': 'much',
      'block-time': '2 hours',
      producers: [],
      reward: -1,
      time: 1.5,
      alloc: {
        '0x12': { balance: 1 },
        [addressAt(1)]: { balance: '0.5wei', nonce: 2 ** 53, more: 1 },
      },
      director: 'me',
      colour: 'red',
    })

    expect(message.split('\n')).toEqual([
      'colour: unknown field',
      'chain-id: must be an integer from 1 to 9007199254740991, got 0',
      'gas-limit: must be an integer from 5000 to 2147483648, got 4999',
      'base-fee: must be an amount such as 1gwei, 2ether or plain wei, got "much"',
      'block-time: must be a duration such as 2s or 500ms, or 0, got "2 hours"',
      'producers: must be 1 to 256 addresses, got 0',
      'reward: must be an amount such as 1gwei, 2ether or plain wei, got -1',
      'time: must be an integer from 0 to 8796093022208, got 1.5',
      'alloc.0x12: must be an address, 0x and 40 hexadecimal digits',
      `alloc.${addressAt(1)}.more: unknown field`,
      `alloc.${addressAt(1)}.balance: must be an amount such as 1gwei, 2ether or plain wei, got "0.5wei"`,
      `alloc.${addressAt(1)}.nonce: must be an integer from 0 to 9007199254740991, got 9007199254740992`,
      'director: must be an address, 0x and 40 hexadecimal digits',
    ])
  })

  test('must name its chain id and its producers', () => {
    expect(mistakes({})).toBe('chain-id: must be given\nproducers: must be given')
    expect(mistakes('nothing')).toBe(
      'genesis: must be a table\nchain-id: must be given\nproducers: must be given',
    )
  })

  test('may list a producer once, and at most 256', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => addressAt(index + 1))

    expect(mistakes({ ...minimal, producers: [addressAt(1), addressAt(1)] })).toBe(
      `producers[1]: ${addressAt(1)} is there twice`,
    )
    expect(mistakes({ ...minimal, producers: many(257) })).toBe(
      'producers: must be 1 to 256 addresses, got 257',
    )
    expect(mistakes({ ...minimal, producers: many(256) })).toBe('none')
  })

  test('may write an address in upper case or rightly mixed case, not in any other mix', () => {
    const right = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
    const wrong = '0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

    expect(parsed({ ...minimal, producers: [right] }).producers).toEqual([right.toLowerCase()])
    expect(mistakes({ ...minimal, producers: [`0x${right.slice(2).toUpperCase()}`] })).toBe('none')
    expect(mistakes({ ...minimal, producers: [wrong] })).toBe(
      'producers[0]: the case of its letters does not fit (EIP-55); mistyped?',
    )
  })

  test('cannot give one account twice, nor more than 2^256-1 wei in all', () => {
    const letters = `0x${'ab'.repeat(20)}`
    const half = (2n ** 255n).toString()

    expect(
      mistakes({
        ...minimal,
        alloc: { [letters]: {}, [letters.toUpperCase().replace('X', 'x')]: {} },
      }),
    ).toContain('is there twice')
    expect(
      mistakes({
        ...minimal,
        alloc: { [addressAt(1)]: { balance: half }, [addressAt(2)]: { balance: half } },
      }),
    ).toBe('alloc: balances add up to more than 2^256-1 wei')
  })

  test('cannot move London: every header has a base fee', () => {
    const message = 'forks.londonBlock: must be 0: every header of this chain has a base fee'

    expect(mistakes({ ...minimal, forks: { londonBlock: 5 } })).toBe(message)
    expect(mistakes({ ...minimal, forks: { londonBlock: null } })).toBe(message)
    expect(mistakes({ ...minimal, forks: { londonBlock: 'never' } })).toBe(message)
    expect(mistakes({ ...minimal, forks: { berlinTime: 5 } })).toBe(
      'forks.berlinTime: unknown field',
    )
  })
})

describe('the genesis block', () => {
  test('differs when any field of the genesis differs', () => {
    const base = aGenesis()
    const variants: Genesis[] = [
      base,
      aGenesis({ chainId: 1338 }),
      aGenesis({ forks: { ...base.forks, osakaTime: 5 } }),
      aGenesis({ forks: { ...base.forks, osakaTime: null } }),
      aGenesis({ gasLimit: 30_000_001 }),
      aGenesis({ baseFee: 1n }),
      aGenesis({ blockTimeMs: 1 }),
      aGenesis({ producers: [addressAt(1)] }),
      aGenesis({ producers: [aProducer, addressAt(1)] }),
      aGenesis({ producers: [addressAt(1), aProducer] }),
      aGenesis({ reward: 1n }),
      aGenesis({ timeSeconds: 1 }),
      aGenesis({ alloc: new Map() }),
      aGenesis({ alloc: new Map([[addressAt(3), { balance: 1n, nonce: 0n }]]) }),
      aGenesis({ alloc: new Map([[addressAt(3), { balance: 1n, nonce: 1n }]]) }),
      aGenesis({ alloc: new Map([[addressAt(3), { balance: 0n, nonce: 0n }]]) }),
      aGenesis({ director: addressAt(7) }),
    ]
    const hashes = variants.map(it => genesisBlock(it, keccak256).header.hash)

    expect(new Set(hashes).size).toBe(variants.length)
  })

  test('does not depend on how absent forks or the order of alloc are written', () => {
    const one = { balance: 1n, nonce: 0n }
    const left = aGenesis({
      forks: {},
      alloc: new Map([
        [addressAt(1), one],
        [addressAt(2), one],
      ]),
    })
    const right = aGenesis({
      forks: { homesteadBlock: 0, londonBlock: 0, osakaTime: null },
      alloc: new Map([
        [addressAt(2), one],
        [addressAt(1), one],
      ]),
    })

    expect(genesisBlock(left, keccak256).header.hash).toBe(
      genesisBlock(right, keccak256).header.hash,
    )
  })

  test('of the preset keeps its hash for ever', () => {
    const { header, accounts } = genesisBlock(devGenesis({ producers: [aProducer] }), keccak256)

    expect(header.hash).toBe('0x17a0d2139958bad2661f36637efdd341962ff244521774737bacae0fd381f0f1')
    expect(header.timeMs).toBe(1_700_000_000_000)
    expect(accounts.size).toBe(20)
  })

  test('begins without accounts that have nothing', () => {
    const alloc = new Map([[addressAt(3), { balance: 0n, nonce: 0n }]])

    expect(genesisBlock(aGenesis({ alloc }), keccak256).accounts.size).toBe(0)
  })
})
