//===- BufferizableOpInterfaceImpl.h - Bufferization ------------*- C++ -*-===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MLA_IR_INTERFACES_BUFFERIZABLEOPINTERFACEIMPL_H
#define MLA_IR_INTERFACES_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mla {

/// Attaches models of BufferizableOpInterface to all mla operations.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace mla

#endif // MLA_IR_INTERFACES_BUFFERIZABLEOPINTERFACEIMPL_H
