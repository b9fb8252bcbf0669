import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, expect, test } from 'vitest'
import { createScratch, quietFlags } from '../testkit/scratch.ts'

/* Encrypted accounts as an operator meets them: made, listed, moved, unlocked in a running node, and every refusal with its sentence. */

const scratch = createScratch()
const { rockpool } = scratch
afterAll(() => scratch.close())

const hex = '0x4646464646464646464646464646464646464646464646464646464646464646'
const address = privateKeyToAddress(hex).toLowerCase()
const otherHex = `0x${'47'.repeat(32)}` as const

/** What geth 1.17.4 wrote for the same key with `account import --lightkdf`. */
const gethFile =
  '{"address":"9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f","crypto":{"cipher":"aes-128-ctr","ciphertext":"59b49f1a80169228cffa2dcdfafcd6d2f1b5f1cde906da26636430967570dffb","cipherparams":{"iv":"13ea8f7dcac836194d2db935cacfe14f"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":4096,"p":6,"r":8,"salt":"5528e95d5ecd56149debab202a277d01b5db9b0679e0e4f7f327d248729b0ff6"},"mac":"8f1ceb4365e7ea65c1f5ba0fcdfea7787357311489744ae3e46ccf8af9740ff0"},"id":"c023c863-729e-45ea-8306-e8cc200bc090","version":3}'

function setUp(name: string) {
  const datadir = scratch.path(name)
  scratch.folder(`${name}-files`)
  const file = (file: string, text: string) => {
    const path = join(scratch.path(`${name}-files`), file)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const passwordFile = file('password', 'secret\n')
  const account = (...args: string[]) =>
    rockpool(['account', ...args, '--light-kdf', '--datadir', datadir])
  const withPassword = ['--password-file', passwordFile]
  return { datadir, file, account, withPassword, passwordFile }
}

test('an account is imported, listed and exported; its file is for its owner alone', async () => {
  const { account, file, withPassword } = setUp('moved')

  const imported = await account('import', file('key', hex), ...withPassword)
  const listed = await account('ls')
  const again = await account('import', file('key', hex), ...withPassword)
  const exported = await account('export', address, ...withPassword)

  const [, path = ''] = imported.stdout.trim().split('  ')
  expect(imported).toMatchObject({ code: 0, stderr: '' })
  expect(imported.stdout).toContain(address)
  expect(listed.stdout).toBe(imported.stdout)
  expect(lstatSync(path).mode & 0o777).toBe(0o600)
  expect(again).toMatchObject({ code: 1, stderr: 'account already exists\n' })
  expect(exported).toMatchObject({ code: 0, stdout: `${hex}\n` })
})

test('a key file of geth is taken, and a wrong password says which file it was', async () => {
  const { account, file, withPassword } = setUp('geth')
  const path = file('UTC--geth', gethFile)

  const imported = await account('import', path, ...withPassword)
  const wrong = await account('import', path, '--password-file', file('wrong', 'guess'))

  expect(imported).toMatchObject({ code: 0 })
  expect(imported.stdout).toContain(address)
  expect(wrong).toMatchObject({
    code: 1,
    stderr: `could not decrypt ${basename(path)} (wrong password?)\n`,
  })
})

test('a new account is nobody’s before; without a terminal and a password nothing is asked', async () => {
  const { account, withPassword, datadir } = setUp('new')

  const empty = await account('ls')
  const made = await account('new', '--json', ...withPassword)
  const mute = await account('new')

  expect(empty.stdout).toBe('none\n')
  const { file } = JSON.parse(made.stdout) as { file: string }
  expect(file.startsWith(join(datadir, 'keystore', 'UTC--'))).toBe(true)
  expect(readFileSync(file, 'utf8')).not.toContain('secret')
  expect(mute).toMatchObject({
    code: 2,
    stderr: 'no terminal to ask for a password; use --password-file FILE or ROCKPOOL_PASSWORD\n',
  })
})

test('a running node signs for what is unlocked and says what is locked', async () => {
  const { account, file, datadir, withPassword } = setUp('unlocked')
  await account('import', file('key', hex), ...withPassword)
  await account('import', file('other', otherHex), ...withPassword)
  const flags = ['--unlock', address, ...withPassword]
  const node = scratch.run(datadir, [...quietFlags, ...flags])
  const { rpc } = await node.ready()
  const call = async (method: string, ...params: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(rpc, { method: 'POST', headers, body })
    return (await response.json()) as { result?: unknown; error?: { message: string } }
  }

  const accounts = (await call('eth_accounts')).result as string[]
  const locked = privateKeyToAddress(otherHex).toLowerCase()
  const signed = await call('eth_sign', address, '0x68656c6c6f')
  const refused = await call('eth_sign', locked, '0x68656c6c6f')
  await node.kill('SIGTERM')

  expect(accounts).toEqual(expect.arrayContaining([address, locked]))
  expect(signed.result).toMatch(/^0x[0-9a-f]{130}$/)
  expect(refused.error?.message).toBe('authentication needed: password or unlock')
})

test.each([
  [
    'a public listener',
    ['--rpc.ip', '0.0.0.0'],
    'account unlock with a public RPC listener is forbidden (listen on 127.0.0.1 or drop --unlock)',
  ],
  ['no password file', [], 'unlock needs password-file: a file with a line for each account'],
])('a node with accounts to unlock refuses %s', async (name, flags, sentence) => {
  const datadir = scratch.path(`refused ${name}`)

  const ended = await rockpool([
    ...['run', '--datadir', datadir, ...quietFlags],
    ...['--unlock', address, ...flags],
  ])

  expect(ended).toMatchObject({ code: 2, stderr: `${sentence}\n` })
})
