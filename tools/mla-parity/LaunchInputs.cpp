//===- LaunchInputs.cpp - What a launch has of its own --------------------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaunchInputs.h"

#include "mla_runtime/tensor.h"

namespace mla::parity {

std::map<std::string, HostTensor> getLaunchInputs(const Launch &launch,
                                                  const Inputs &inputs,
                                                  const Scales &scales,
                                                  const HostTensor &pageTable) {
  std::vector<int64_t> rows, positions;
  std::vector<int32_t> lengths, offsets = {0};
  for (const Segment &segment : launch.segments) {
    for (int64_t i = 0; i < segment.count; ++i)
      rows.push_back(segment.begin + i);
    lengths.push_back(static_cast<int32_t>(segment.begin + segment.count));
    offsets.push_back(static_cast<int32_t>(rows.size()));
  }
  positions = rows;
  rows.resize(static_cast<size_t>(launch.numTokens()), -1);
  positions.resize(rows.size(), 0);

  std::map<std::string, HostTensor> result;
  result["q"] = gatherRows(inputs.q, rows);
  result["c_kv"] = gatherRows(inputs.cKV, rows);
  result["k_pe"] = gatherRows(inputs.kPe, rows);
  result["indices"] = gatherRows(inputs.indices, rows);
  auto numTokens = static_cast<int64_t>(rows.size());
  auto batch = static_cast<int64_t>(lengths.size());
  result["positions"] = HostTensor::fromIntegers({numTokens}, positions);
  result["kv_lens"] = HostTensor::fromIntegers({batch}, lengths);
  result["cu_q"] = HostTensor::fromIntegers({batch + 1}, offsets);
  result["page_table"] = pageTable;
  for (auto [name, scale] : {std::pair{"query_scale", scales.query},
                             {"latent_scale", scales.latent},
                             {"pe_scale", scales.pe}})
    result[name] = HostTensor(MLA_DTYPE_F32, {}, {scale});
  return result;
}

} // namespace mla::parity
