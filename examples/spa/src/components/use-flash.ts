import { type RefObject, useEffect, useRef } from 'react'

const UNSEEN = Symbol('unseen')

/** Highlights an element when its value changes; at its first value only if `isArrival` says that it came to something already shown. */
export function useFlash<T extends HTMLElement>(
  value: unknown,
  isArrival: () => boolean = () => false,
): RefObject<T | null> {
  const element = useRef<T>(null)
  const seen = useRef<unknown>(UNSEEN)

  useEffect(() => {
    const flash = seen.current === UNSEEN ? isArrival() : seen.current !== value
    seen.current = value
    if (flash)
      element.current?.animate(
        { backgroundColor: ['var(--flash)', 'transparent'] },
        { duration: 1800, easing: 'ease-out' },
      )
  })

  return element
}

/** For the rows of a list: whether the list was on the page before this render. */
export function useWasShown(isShown: boolean): () => boolean {
  const wasShown = useRef(false)
  // Runs after the effects of the rows, so that they still see what was.
  useEffect(() => {
    wasShown.current = isShown
  })
  return () => wasShown.current
}
