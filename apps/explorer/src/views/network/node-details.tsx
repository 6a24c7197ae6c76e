import type { JSX } from 'preact'
import type { StatusView } from '@p2pl/ledger'
import { nameOf } from '../../data/names.ts'
import { Id } from '../../ui/cid.tsx'
import { Item } from '../../ui/item.tsx'

/** A node's own description, for those who want details. */
export function NodeDetails({ name, status }: { name: string; status: StatusView }): JSX.Element {
  const { documents } = status
  return (
    <details>
      <summary>
        Details<span class="hidden"> of {name}</span>
      </summary>
      <dl>
        <Item name="Account">
          <Id id={status.account} />
          {status.witness && <span>a witness</span>}
        </Item>
        <Item name="Balances">
          <Id id={status.balances} />
        </Item>
        <Item name="Backend">{status.backend}</Item>
        <Item name="Connected">
          <Ids ids={status.connected.map(({ id }) => id)} />
        </Item>
        <Item name="Listens">
          {status.self.flatMap(({ addresses }) => addresses.map((one) => <code key={one}>{withoutId(one)}</code>))}
        </Item>
        <Item name="Documents">
          {documents.kept} of {documents.known} kept
        </Item>
        <Item name="Refused">{status.dropped}</Item>
      </dl>
    </details>
  )
}

function Ids({ ids }: { ids: readonly string[] }): JSX.Element {
  return (
    <>
      {ids.length === 0 && 'to nobody'}
      {ids.map((id) => (
        <Id key={id} id={id} label={nameOf(id)} />
      ))}
    </>
  )
}

/** An address ends with the id of its peer. */
function withoutId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
