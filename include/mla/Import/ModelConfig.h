//===- ModelConfig.h - config.json to a core's description ------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IMPORT_MODELCONFIG_H
#define MLA_IMPORT_MODELCONFIG_H

#include "mla/Import/AttentionCoreSpec.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mla {

/// Reads the text of a Hugging Face `config.json`, in the form of transformers
/// 5
/// (`rope_parameters`) or in the older one of checkpoints on the Hub
/// (`rope_theta`, `rope_scaling`, `mla_use_nope`), also under `text_config`.
/// Errors are one sentence that starts with `place` and names the field.
llvm::Expected<AttentionCoreSpec> readModelConfig(llvm::StringRef text,
                                                  llvm::StringRef place);

} // namespace mla

#endif // MLA_IMPORT_MODELCONFIG_H
