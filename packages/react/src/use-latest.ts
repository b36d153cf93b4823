import { type RefObject, useInsertionEffect, useRef } from 'react'

/** A ref that holds the value of the latest commit, from before any other effect of that commit runs. */
export function useLatest<T>(value: T): RefObject<T> {
  const ref = useRef(value)
  useInsertionEffect(() => {
    ref.current = value
  })
  return ref
}
