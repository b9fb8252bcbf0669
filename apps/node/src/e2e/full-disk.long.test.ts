import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { call, until } from '../testkit/devnet.ts'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/* A node whose disk is really full: a small file system of its own, which only root may make. */

const folder = mkdtempSync(join(tmpdir(), 'rockpool-full-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'rockpool-test', folder])
const canFill = mounted.status === 0
if (!canFill) {
  const why = mounted.error?.message ?? mounted.stderr.toString().trim()
  console.log(`skipped, a full disk needs a small file system: ${why}`)
}

const scratch = createScratch()
const flags = [...quietFlags, '--chain.mining', 'manual', '--devnet.control']
const filler = join(folder, 'filler')
/** The first account of the well-known test mnemonic. */
const account = privateKeyToAccount(
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
)

afterAll(async () => {
  await scratch.close()
  if (canFill) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
})

/** Takes what is left of the disk, to the last byte. */
function fill(): void {
  for (const size of [1_048_576, 4_096, 1]) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size, 1), { flag: 'a' })
    } catch {
      // No piece of this size fits any more.
    }
  }
}

interface Health {
  readonly state: string
  readonly reasons: readonly { readonly code: string }[]
}

test.runIf(canFill)(
  'a full disk refuses submissions and blocks with the reason, answers questions, and with space again loses nothing',
  async () => {
    const datadir = join(folder, 'node')
    const first = scratch.run(datadir, flags)
    let { rpc, chainId } = await first.ready()
    const taken: string[] = []
    const submit = async () => {
      const raw = await account.signTransaction({
        ...{ type: 'eip1559', chainId, nonce: taken.length, gas: 21_000n, value: 1n },
        ...{ to: account.address, maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n },
      })
      taken.push(await call<string>(rpc, 'eth_sendRawTransaction', [raw]))
    }
    const codes = async () =>
      (await call<Health>(rpc, 'rockpool_health')).reasons.map(({ code }) => code)
    await submit()

    fill()
    await expect(
      (async () => {
        for (let count = 0; count < 300; count += 1) await submit()
      })(),
    ).rejects.toThrow(/^transaction journal unavailable: store\/full: .*no space left on device/i)
    await expect(call(rpc, 'devnet_mine', [1])).rejects.toThrow(/store|disk|full/)
    expect(await codes()).toEqual(expect.arrayContaining(['journal-failed', 'store-failed']))
    expect(await call(rpc, 'eth_blockNumber')).toBe('0x0')
    expect(Number(await call(rpc, 'eth_getTransactionCount', [account.address, 'pending']))).toBe(
      taken.length,
    )

    rmSync(filler)
    await until('submissions are taken again', async () => {
      return await submit().then(
        () => true,
        () => false,
      )
    })
    await call(rpc, 'devnet_mine', [1])
    await submit()
    expect((await codes()).filter(code => /journal|store/.test(code))).toEqual([])
    await first.kill('SIGKILL')

    const second = scratch.run(datadir, flags)
    rpc = (await second.ready()).rpc
    expect(await call(rpc, 'eth_blockNumber')).toBe('0x1')
    await until('everything that was taken is known', async () => {
      const known = await Promise.all(
        taken.map(hash => call<object | null>(rpc, 'eth_getTransactionByHash', [hash])),
      )
      return known.every(each => each !== null)
    })
    expect(await second.kill('SIGTERM')).toMatchObject({ code: 0 })
  },
  60_000,
)
