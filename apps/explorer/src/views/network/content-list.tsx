import type { JSX } from 'preact'
import { bytes, duration } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'
import { step } from '../../data/playback.ts'
import { type Fetch, fetches, holders } from '../../data/traces.ts'
import { Id } from '../../ui/cid.tsx'
import { Scroll } from '../../ui/scroll.tsx'
import { NodeColumns } from './node-columns.tsx'

const shown = 8

/** The contents that were last requested: who wants them, who has them, how long it took. */
export function ContentList(): JSX.Element {
  const at = step.value
  const byCid = new Map<string, Fetch[]>()
  for (const fetch of fetches) {
    if (fetch.from > at) continue
    const known = byCid.get(fetch.cid) ?? []
    byCid.delete(fetch.cid)
    byCid.set(fetch.cid, [...known, fetch])
  }
  const last = [...byCid].slice(-shown).toReversed()
  return (
    <section class="card" aria-labelledby="content-title">
      <h2 id="content-title">Content</h2>
      {last.length === 0 ? (
        <p class="empty">Nothing has been asked for yet. Record a file, and every node fetches a copy.</p>
      ) : (
        <Scroll label="Table of content">
          <table class="traffic">
            <thead>
              <tr>
                <th scope="col">Block</th>
                <NodeColumns />
              </tr>
            </thead>
            <tbody>
              {last.map(([cid, all]) => (
                <tr key={cid}>
                  <td>
                    <Id id={cid} label={cid.slice(-8)} />
                  </td>
                  {nodes.value.map(({ name }) => (
                    <Cell key={name} node={name} cid={cid} all={all} at={at} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}

function Cell({ node, cid, all, at }: { node: string; cid: string; all: Fetch[]; at: number }): JSX.Element {
  const fetch = all.findLast((one) => one.node === node)
  if (fetch?.arrived !== undefined && fetch.arrived.at <= at) {
    const size = fetch.arrived.bytes === undefined ? 'all of it' : bytes(fetch.arrived.bytes)
    return (
      <td>
        <span class="got">{size}</span> {duration(fetch.arrived.at - fetch.from)}
      </td>
    )
  }
  if (fetch?.failed !== undefined && fetch.failed.at <= at)
    return <td class="lost">{fetch.failed.code.toLowerCase()}</td>
  if (fetch !== undefined) return <td class="wants">wants it</td>
  return holders.get(cid)?.has(node) === true ? <td class="sent">has it</td> : <td>–</td>
}
