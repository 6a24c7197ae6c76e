import { useEffect, useRef, useState } from 'preact/hooks'

const leastMs = 1_000

/** The text, updated at most once per second, for regions that screen readers read out when they change. */
export function useCalm(text: string): string {
  const [shown, show] = useState(text)
  const shownAt = useRef(-Infinity)
  useEffect(() => {
    if (text === shown) return undefined
    const wait = Math.max(0, shownAt.current + leastMs - performance.now())
    const timer = setTimeout(() => {
      shownAt.current = performance.now()
      show(text)
    }, wait)
    return () => clearTimeout(timer)
  }, [text, shown])
  return shown
}
