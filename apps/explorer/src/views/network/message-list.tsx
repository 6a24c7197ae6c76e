import type { JSX } from 'preact'
import { bytes, duration } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'
import { replay, step } from '../../data/playback.ts'
import { type Flight, flights } from '../../data/traces.ts'
import { Scroll } from '../../ui/scroll.tsx'
import { NodeColumns } from './node-columns.tsx'

const shown = 8

/**
 * The last messages up to the time of the picture: who published each one, and after how long each node had it. A click
 * shows a message in slow motion.
 */
export function MessageList(): JSX.Element {
  const at = step.value
  const last = flights.filter(({ from }) => from <= at).slice(-shown)
  return (
    <section class="card" aria-labelledby="messages-title">
      <h2 id="messages-title">Messages</h2>
      {last.length === 0 ? (
        <p class="empty">None seen yet. Peers tell each other what they have, some times in a second.</p>
      ) : (
        <Scroll label="Table of messages">
          <table class="traffic">
            <thead>
              <tr>
                <th scope="col">Message</th>
                <th scope="col" class="number">
                  Size
                </th>
                <NodeColumns />
              </tr>
            </thead>
            <tbody>
              {last.toReversed().map((flight) => (
                <Row key={flight.message} flight={flight} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}

function Row({ flight }: { flight: Flight }): JSX.Element {
  const { message, published, received } = flight
  return (
    <tr>
      <td>
        <button
          type="button"
          class="id"
          title={flight.topic}
          aria-label={`${message.slice(0, 8)}: show it slowly`}
          onClick={() => replay(flight)}
        >
          {message.slice(0, 8)}
        </button>
      </td>
      <td class="number">{bytes(flight.bytes)}</td>
      {nodes.value.map(({ name }) => {
        if (published?.node === name)
          return (
            <td key={name} class="sent">
              published
            </td>
          )
        const here = received.find((one) => one.node === name)
        const ms = here === undefined || published === undefined ? undefined : here.at - published.at
        const text = here === undefined ? '–' : ms === undefined ? 'received' : duration(Math.max(0, ms))
        return <td key={name}>{text}</td>
      })}
    </tr>
  )
}
