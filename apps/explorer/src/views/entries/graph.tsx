import type { JSX, TargetedKeyboardEvent } from 'preact'
import { type Signal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { entries, version } from '../../data/entries.ts'
import { nameOf, plural } from '../../data/names.ts'
import { nodes } from '../../data/nodes.ts'
import { colours } from '../../data/theme.ts'
import { GraphStage } from './stage.ts'

const panStep = 80

/**
 * All entries as a graph. Dragging or the arrow keys move it, the wheel or + and − change its scale, and a click
 * selects an entry.
 */
export function Graph({ selected }: { selected: Signal<string | undefined> }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const stage = useRef<GraphStage | undefined>(undefined)
  useEffect(() => {
    if (canvas.current === null) return undefined
    const made = new GraphStage(canvas.current, nameOf, (cid) => (selected.value = cid))
    stage.current = made
    update(made)
    return () => made.close()
  }, [])
  useSignalEffect(() => {
    void version.value
    void nodes.value
    if (stage.current !== undefined) update(stage.current)
  })
  useSignalEffect(() => {
    void colours.value
    stage.current?.recolour()
  })
  useSignalEffect(() => {
    stage.current?.select(selected.value)
  })
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>): void => {
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => stage.current?.pan(-panStep, 0),
      ArrowRight: () => stage.current?.pan(panStep, 0),
      ArrowUp: () => stage.current?.pan(0, -panStep),
      ArrowDown: () => stage.current?.pan(0, panStep),
      '+': () => stage.current?.zoom(1.4),
      '-': () => stage.current?.zoom(1 / 1.4),
      '0': () => stage.current?.fit()
    }
    const move = moves[event.key]
    if (move === undefined) return
    event.preventDefault()
    move()
  }
  return (
    <section class="card graph" aria-labelledby="graph-title">
      <div class="head">
        <h2 id="graph-title">Graph</h2>
        <Legend />
        <div class="choice" role="group" aria-label="Scale">
          <button type="button" aria-label="Smaller" onClick={() => stage.current?.zoom(1 / 1.6)}>
            −
          </button>
          <button type="button" aria-label="Larger" onClick={() => stage.current?.zoom(1.6)}>
            +
          </button>
          <button type="button" onClick={() => stage.current?.fit()}>
            Fit
          </button>
        </div>
      </div>
      <div
        class="canvas"
        role="group"
        aria-label="Graph of entries. Arrow keys move it, plus and minus change its scale, 0 shows all."
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <canvas ref={canvas} role="img" aria-label={describe()} />
      </div>
    </section>
  )
}

function update(stage: GraphStage): void {
  const accounts = nodes.peek().flatMap(({ status }) => (status === undefined ? [] : [status.account]))
  stage.show(entries().values(), accounts)
}

function describe(): string {
  void version.value
  const all = [...entries().values()]
  const rejected = all.filter(({ status }) => status === 'rejected').length
  const confirmed = all.filter(({ confirmations }) => confirmations > 0).length
  return `${plural(all.length, 'entry', 'entries')}, ${confirmed} confirmed, ${rejected} rejected. The list below names them.`
}

function Legend(): JSX.Element {
  return (
    <ul class="legend">
      <li>
        <span class="mark confirmed" /> confirmed
      </li>
      <li>
        <span class="mark waiting" /> waiting
      </li>
      <li>
        <span class="mark rejected" /> rejected
      </li>
      <li>
        <span class="mark tip" /> tip
      </li>
    </ul>
  )
}
