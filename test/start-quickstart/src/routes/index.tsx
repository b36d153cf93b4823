import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { useInvalidationStatus } from '@query-tags/react'
import { useState } from 'react'
import { addTodoServerFn } from '#/lib/server-functions'
import { todosQuery, useTodos } from '#/lib/todos'

export const Route = createFileRoute('/')({ component: Home })

function Home() {
  const inline = useTodos()
  const helper = useQuery(todosQuery)
  const status = useInvalidationStatus()
  const [name, setName] = useState('')
  return (
    <main>
      <p role="status">{status.state}</p>
      {[inline, helper].map(({ data }, option) => (
        <ul key={option} aria-label={'AB'[option]}>
          {data?.map((todo) => (
            <li key={todo.name}>{todo.name}</li>
          ))}
        </ul>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void addTodoServerFn({ data: { name } })
        }}
      >
        <input aria-label="New todo" value={name} onChange={(event) => setName(event.target.value)} />
      </form>
    </main>
  )
}
