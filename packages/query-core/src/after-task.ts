/** A function that has the callback called once after the task in which it is called, however often that is. */
export function afterTask(callback: () => void): () => void {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    void Promise.resolve().then(() => {
      isDue = false
      callback()
    })
  }
}
