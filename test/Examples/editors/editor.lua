-- Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

-- Runs a configuration in the place of Neovim: prints each call of `vim` with its
-- arguments, and opens a file of the type that it waits for.
--
--   lua5.4 editor.lua CONFIGURATION

local function show(value)
  if type(value) == 'function' then
    return 'function'
  elseif type(value) ~= 'table' then
    return tostring(value)
  end
  local fields = {}
  for key, field in pairs(value) do
    table.insert(fields, key .. '=' .. show(field))
  end
  table.sort(fields)
  return '{' .. table.concat(fields, ' ') .. '}'
end

local callbacks = {}

local function stub(name)
  return setmetatable({}, {
    __index = function(_, key)
      return stub(name .. '.' .. key)
    end,
    __call = function(_, ...)
      local words = { name }
      for _, argument in ipairs({ ... }) do
        table.insert(words, show(argument))
        if type(argument) == 'table' then
          table.insert(callbacks, argument.callback)
        end
      end
      print(table.concat(words, ' '))
      return name .. '()'
    end,
  })
end

vim = stub('vim')
dofile(arg[1])
for _, callback in ipairs(callbacks) do
  callback()
end
