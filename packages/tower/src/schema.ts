import { CodedError, type Store } from '@rockpool/protocol'

/** Of keys and rows of the watchtower. A newer one is not touched. */
const towerSchema = 1
const key = Uint8Array.of(0x76)

/** Says what schema the rows have, or refuses rows of a later one with `store/newer-schema`. */
export async function requireTower(store: Store): Promise<void> {
  const found = await store.get(key)
  const [schema = 0] = found ?? []
  if (schema > towerSchema)
    throw new CodedError(
      'store/newer-schema',
      `the watchtower's rows were written by a newer Rockpool (schema ${schema}, this build knows ${towerSchema})`,
    )
  if (schema < towerSchema)
    await store.batch([{ type: 'put', key, value: Uint8Array.of(towerSchema) }], { sync: true })
}
