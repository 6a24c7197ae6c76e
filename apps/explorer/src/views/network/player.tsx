import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { duration } from '../../data/names.ts'
import {
  goLive,
  isLive,
  paused,
  playhead,
  seek,
  setPaused,
  setSpeed,
  span,
  speed,
  speeds
} from '../../data/playback.ts'
import { leftOut } from '../../data/traces.ts'

const labels: Readonly<Record<number, string>> = { 1: '1×', 0.1: '1/10', 0.01: '1/100' }

/** Speed, pause, and a slider to go back in time. */
export function Player(): JSX.Element {
  const range = useSignal({ from: 0, to: 0 })
  const at = useSignal(0)
  useEffect(() => {
    const timer = setInterval(() => {
      range.value = span()
      at.value = playhead.peek()
    }, 200)
    return () => clearInterval(timer)
  }, [])
  const { from, to } = range.value
  const behind = Math.max(0, to - at.value)
  return (
    <div class="player">
      <button type="button" aria-pressed={paused.value} onClick={() => setPaused(!paused.value)}>
        {paused.value ? 'Play' : 'Pause'}
      </button>
      <div class="choice" role="group" aria-label="Speed">
        {speeds.map((value) => (
          <button key={value} type="button" aria-pressed={speed.value === value} onClick={() => setSpeed(value)}>
            {labels[value]}
          </button>
        ))}
      </div>
      <input
        type="range"
        aria-label="Time"
        aria-valuetext={isLive.value ? 'now' : `${duration(behind)} ago`}
        min={0}
        max={Math.max(1, Math.round(to - from))}
        value={Math.round(at.value - from)}
        onInput={({ currentTarget }) => seek(from + Number(currentTarget.value))}
      />
      <button type="button" class={isLive.value ? 'live' : ''} aria-pressed={isLive.value} onClick={goLive}>
        {isLive.value ? 'Live' : `${duration(behind)} behind`}
      </button>
      {leftOut.value > 0 && <small>{leftOut.value.toLocaleString('en')} traces left out</small>}
    </div>
  )
}
